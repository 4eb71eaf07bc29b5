namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Whom a rule is about.</summary>
/// <param name="ClientId">The client's identifier, also when the broker has chosen it.</param>
/// <param name="User">Its user, once the password or the certificate was right; null when it has none.</param>
/// <param name="IsAnonymous">Whether it was let in without a user.</param>
internal sealed record AccessIdentity(string ClientId, string? User, bool IsAnonymous);

/// <summary>
/// What a client may do. The answers depend on the rules and what is asked alone, so they may be kept for as long as these rules are the
/// ones in force.
/// </summary>
internal abstract class AccessRules
{
    /// <summary>Whether a client may publish to a topic.</summary>
    /// <param name="identity">The client.</param>
    /// <param name="topic">A valid topic.</param>
    public abstract bool MayPublish(AccessIdentity identity, string topic);

    /// <summary>Whether a client may have a subscription: only when it may read every topic that the filter stands for.</summary>
    /// <param name="identity">The client.</param>
    /// <param name="filter">A valid filter.</param>
    public abstract bool MaySubscribe(AccessIdentity identity, string filter);
}
