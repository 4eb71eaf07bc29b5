using System.Buffers;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>What a rule allows. A rule that denies allows nothing.</summary>
[Flags]
internal enum AclAccess
{
    Deny = 0,
    Read = 1,
    Write = 2,
    ReadWrite = Read | Write,
}

/// <summary>One line of a file of rules.</summary>
/// <param name="access">What it allows.</param>
/// <param name="filter">For which topics; in a pattern with <c>%c</c> and <c>%u</c>.</param>
/// <param name="isPattern">Whether <c>%c</c> and <c>%u</c> stand for the client's identifier and user.</param>
internal sealed class AclRule(AclAccess access, string filter, bool isPattern)
{
    private const int OnStack = 512;
    private const string Client = "%c";
    private const string User = "%u";

    private readonly int _clients = isPattern ? filter.AsSpan().Count(Client) : 0;
    private readonly int _users = isPattern ? filter.AsSpan().Count(User) : 0;

    public AclAccess Access => access;

    public string Filter => filter;

    /// <summary>Whether this rule is about every topic of a wish, for a client.</summary>
    public bool Contains(AccessIdentity identity, ReadOnlySpan<char> wish) => Ask(identity, wish, TopicFilters.Contains);

    /// <summary>Whether this rule is about some topic of a wish, for a client.</summary>
    public bool Overlaps(AccessIdentity identity, ReadOnlySpan<char> wish) => Ask(identity, wish, TopicFilters.Overlaps);

    private bool Ask(AccessIdentity identity, ReadOnlySpan<char> wish, Func<ReadOnlySpan<char>, ReadOnlySpan<char>, bool> question)
    {
        if (_clients + _users == 0)
        {
            return question(filter, wish);
        }

        return IsFor(identity) && AskFilled(identity, wish, question);
    }

    private bool AskFilled(AccessIdentity identity, ReadOnlySpan<char> wish, Func<ReadOnlySpan<char>, ReadOnlySpan<char>, bool> question)
    {
        var most = filter.Length + (_clients * identity.ClientId.Length) + (_users * (identity.User?.Length ?? 0));
        var rented = most > OnStack ? ArrayPool<char>.Shared.Rent(most) : null;
        try
        {
            Span<char> filled = rented is null ? stackalloc char[OnStack] : rented;
            return question(filled[..Fill(identity, filled)], wish);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented);
            }
        }
    }

    // Who chooses his own name must not choose what a rule allows. A rule that denies is left out for no name: the wildcards in one make it
    // deny more, and it denies nothing to a name that can be no level of a topic, as there is no such topic.
    private bool IsFor(AccessIdentity identity) =>
        (_users == 0 || !string.IsNullOrEmpty(identity.User)) && (access == AclAccess.Deny || IsHarmless(identity));

    private bool IsHarmless(AccessIdentity identity) =>
        (_clients == 0 || (identity.ClientId.Length > 0 && identity.ClientId.AsSpan().IndexOfAny('+', '#', '/') < 0))
        && (_users == 0 || identity.User.AsSpan().IndexOfAny('+', '#') < 0)
        && !(IsFirst(Client) && identity.ClientId.StartsWith('$'))
        && !(IsFirst(User) && identity.User!.StartsWith('$'));

    // A name such as $hw or $SYS does not make '%c/#' a rule about the topics of the node.
    private bool IsFirst(string place) => filter.StartsWith(place, StringComparison.Ordinal);

    private int Fill(AccessIdentity identity, Span<char> filled)
    {
        var length = 0;
        for (var i = 0; i < filter.Length; i++)
        {
            var value = filter.AsSpan(i) switch
            {
                ['%', 'c', ..] => identity.ClientId,
                ['%', 'u', ..] when _users > 0 => identity.User,
                _ => null,
            };
            if (value is null)
            {
                filled[length++] = filter[i];
                continue;
            }

            value.CopyTo(filled[length..]);
            length += value.Length;
            i++;
        }

        return length;
    }
}
