namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Who may do what, as the files said at one moment.</summary>
/// <param name="Version">Rises by one with every change of <paramref name="Users"/> or <paramref name="Rules"/>; 1 at the start.</param>
/// <param name="Users">Who has a password.</param>
/// <param name="Rules">Who may do what.</param>
/// <param name="UsersError">Why the file of users as it is now is not taken; null when it is.</param>
/// <param name="RulesError">Why the file of rules as it is now is not taken; null when it is.</param>
internal sealed record AccessState(long Version, Users Users, AccessRules Rules, string? UsersError, string? RulesError);
