using System.Collections.Frozen;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Who has a password, as a file said at one moment.</summary>
internal sealed class Users
{
    private readonly FrozenDictionary<string, PasswordHash> _users;
    private readonly int[] _iterations;

    /// <param name="users">Names and hashes.</param>
    public Users(IReadOnlyDictionary<string, PasswordHash> users)
    {
        _users = users.ToFrozenDictionary(StringComparer.Ordinal);
        _iterations = [.. users.Values.Select(u => u.Iterations).DefaultIfEmpty(PasswordHash.OwnIterations)];
    }

    /// <summary>Nobody.</summary>
    public static Users None { get; } = new(FrozenDictionary<string, PasswordHash>.Empty);

    /// <summary>How many there are.</summary>
    public int Count => _users.Count;

    /// <summary>Their names, in order.</summary>
    public IEnumerable<string> Names => _users.Keys.Order(StringComparer.Ordinal);

    /// <summary>The hash of a user; null when there is no such user.</summary>
    public PasswordHash? Find(string name) => _users.GetValueOrDefault(name);

    /// <summary>
    /// How long the check of a user who is not there takes: as that of one who is, whom the number chooses. So the same name always takes
    /// the same time, and all that are not there together take what all that are there take.
    /// </summary>
    public int IterationsLike(uint number) => _iterations[number % (uint)_iterations.Length];
}
