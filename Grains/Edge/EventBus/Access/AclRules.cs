using System.Collections.Frozen;
using System.Collections.Immutable;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// The rules of a file. A client with a user has those of its user, one without has those before the first user, and the patterns are for
/// all. What no rule allows is refused, and a rule that denies wins over all others.
/// </summary>
internal sealed class AclRules : AccessRules
{
    private readonly ImmutableArray<AclRule> _anonymous;
    private readonly ImmutableArray<AclRule> _patterns;
    private readonly FrozenDictionary<string, ImmutableArray<AclRule>> _users;

    /// <param name="anonymous">For clients without a user.</param>
    /// <param name="users">For each user.</param>
    /// <param name="patterns">For all.</param>
    public AclRules(IEnumerable<AclRule> anonymous, IEnumerable<KeyValuePair<string, List<AclRule>>> users, IEnumerable<AclRule> patterns)
    {
        _anonymous = DenyFirst(anonymous);
        _patterns = DenyFirst(patterns);
        _users = users.ToFrozenDictionary(u => u.Key, u => DenyFirst(u.Value), StringComparer.Ordinal);
    }

    /// <summary>How many rules there are.</summary>
    public int Count => _anonymous.Length + _patterns.Length + _users.Values.Sum(u => u.Length);

    /// <inheritdoc/>
    public override bool MayPublish(AccessIdentity identity, string topic) => May(identity, topic, AclAccess.Write);

    /// <inheritdoc/>
    public override bool MaySubscribe(AccessIdentity identity, string filter) => May(identity, filter, AclAccess.Read);

    // A topic is the wish for itself: what overlaps it contains it.
    private bool May(AccessIdentity identity, string wish, AclAccess access)
    {
        var own = OwnRules(identity);
        return !IsDenied(own, identity, wish) && !IsDenied(_patterns, identity, wish)
            && (IsAllowed(own, identity, wish, access) || IsAllowed(_patterns, identity, wish, access));
    }

    private ImmutableArray<AclRule> OwnRules(AccessIdentity identity)
    {
        if (identity.IsAnonymous || identity.User is null)
        {
            return _anonymous;
        }

        return _users.TryGetValue(identity.User, out var rules) ? rules : [];
    }

    private static bool IsDenied(ImmutableArray<AclRule> rules, AccessIdentity identity, string wish)
    {
        foreach (var rule in rules)
        {
            if (rule.Access != AclAccess.Deny)
            {
                return false;
            }

            if (rule.Overlaps(identity, wish))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsAllowed(ImmutableArray<AclRule> rules, AccessIdentity identity, string wish, AclAccess access)
    {
        foreach (var rule in rules)
        {
            if ((rule.Access & access) != 0 && rule.Contains(identity, wish))
            {
                return true;
            }
        }

        return false;
    }

    private static ImmutableArray<AclRule> DenyFirst(IEnumerable<AclRule> rules) => [.. rules.OrderBy(r => r.Access != AclAccess.Deny)];
}
