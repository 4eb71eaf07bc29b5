using System.Collections.Immutable;
using System.Text;
using EdgeOrleans.DbManager;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Which topics of devices and apps go to the cloud: those of the reference (4.1), and those that the cloud manages, in table <c>sub_topics</c>.</summary>
internal sealed class HubTopics(Database database)
{
    /// <summary>How many the cloud may manage.</summary>
    public const int Most = 1_000;

    private const int Longest = 1_024;

    /// <summary>Those that are always there. The cloud cannot take them away: devices that were built for them would fall silent.</summary>
    public static readonly ImmutableArray<string> BuiltIn = ["$hw/events/upload/#", "SYS/dis/upload_records", "+/user/#"];

    private readonly Lock _gate = new();
    private volatile State _state = new(0, []);

    /// <summary>Those that the cloud manages, in their order.</summary>
    public IReadOnlyCollection<string> Managed => _state.Managed;

    /// <summary>All of them.</summary>
    public IEnumerable<string> Filters => BuiltIn.Concat(_state.Managed);

    /// <summary>Rises with every change, so that what was found can be kept until then.</summary>
    public int Version => _state.Version;

    /// <summary>What was changed last is on disk.</summary>
    public event Action? Changed;

    public async Task LoadAsync()
    {
        var stored = await database.ReadAsync(static db => db.Query("SELECT topic FROM sub_topics", static row => row.GetString(0)));
        Become(_ => stored.ToImmutableSortedSet(StringComparer.Ordinal));
    }

    /// <summary>Whether a message to a topic goes up.</summary>
    public bool Has(string topic)
    {
        foreach (var filter in BuiltIn)
        {
            if (SubscriptionIndex.Matches(topic, filter))
            {
                return true;
            }
        }

        foreach (var filter in _state.Managed)
        {
            if (SubscriptionIndex.Matches(topic, filter))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The cloud wants to hear of a topic. It counts when it is on disk.</summary>
    /// <returns>Why not; null when it counts.</returns>
    public async Task<string?> AddAsync(string filter)
    {
        if (!MqttRules.IsFilter(filter) || filter.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(filter) > Longest)
        {
            return $"it is no topic filter of at most {Longest} bytes";
        }

        if (BuiltIn.Contains(filter) || _state.Managed.Contains(filter))
        {
            return null;
        }

        if (_state.Managed.Count >= Most)
        {
            return $"the cloud manages {Most} topics already, and cannot have more";
        }

        await database.RunAsync(db => db.Execute("INSERT OR IGNORE INTO sub_topics(topic) VALUES(?1)", filter));
        Become(managed => managed.Add(filter));
        return null;
    }

    /// <summary>The cloud does not want to hear of a topic any more.</summary>
    /// <returns>Why not; null when it is gone, or was not there.</returns>
    public async Task<string?> RemoveAsync(string filter)
    {
        if (BuiltIn.Contains(filter))
        {
            return "it is one of those that are always there";
        }

        if (_state.Managed.Contains(filter))
        {
            await database.RunAsync(db => db.Execute("DELETE FROM sub_topics WHERE topic=?1", filter));
            Become(managed => managed.Remove(filter));
        }

        return null;
    }

    private void Become(Func<ImmutableSortedSet<string>, ImmutableSortedSet<string>> change)
    {
        lock (_gate)
        {
            _state = new State(_state.Version + 1, change(_state.Managed).WithComparer(StringComparer.Ordinal));
        }

        Changed?.Invoke();
    }

    private sealed record State(int Version, ImmutableSortedSet<string> Managed);
}
