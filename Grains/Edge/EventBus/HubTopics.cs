using System.Collections.Immutable;
using System.Text;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Which topics of devices and apps go to the cloud: those of the reference (4.1), and those that the cloud manages, in table <c>sub_topics</c>.</summary>
internal sealed partial class HubTopics(Database database, Refusals refusals, ILogger<HubTopics> logger)
{
    /// <summary>How many the cloud may manage.</summary>
    public const int Most = 1_000;

    private const int Longest = 1_024;

    /// <summary>Those that are always there. The cloud cannot take them away: devices that were built for them would fall silent.</summary>
    public static readonly ImmutableArray<string> BuiltIn = ["$hw/events/upload/#", "SYS/dis/upload_records", "+/user/#"];

    private readonly Lock _gate = new();
    private readonly Turns _turns = new();
    private readonly ILogger _logger = logger;
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
        var sound = new List<string>();
        foreach (var filter in stored)
        {
            if (Fault(filter) is not { } fault)
            {
                sound.Add(filter);
                continue;
            }

            refusals.Count("mqtt.bad-filter");
            LogPassedOver(Uplink.Shorten(filter), fault);
        }

        Become(_ => sound.Take(Most).ToImmutableSortedSet(StringComparer.Ordinal));
    }

    /// <summary>Whether a message to a topic goes up. What is below a device or a node is for its twin, whatever the filters say.</summary>
    public bool Has(string topic)
    {
        if (IsOfTwins(topic))
        {
            return false;
        }

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
        if (Fault(filter) is { } fault)
        {
            return fault;
        }

        using var turn = await _turns.EnterAsync("");
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

        using var turn = await _turns.EnterAsync("");
        if (_state.Managed.Contains(filter))
        {
            await database.RunAsync(db => db.Execute("DELETE FROM sub_topics WHERE topic=?1", filter));
            Become(managed => managed.Remove(filter));
        }

        return null;
    }

    private static bool IsOfTwins(string topic) => IsAtOrBelow(topic, "$hw/events/device") || IsAtOrBelow(topic, "$hw/events/node");

    private static bool IsAtOrBelow(string topic, string parent) =>
        topic.StartsWith(parent, StringComparison.Ordinal) && (topic.Length == parent.Length || topic[parent.Length] == '/');

    private static string? Fault(string filter) =>
        Encoding.UTF8.GetByteCount(filter) > Longest ? $"a topic filter of the cloud has at most {Longest} bytes"
        : filter.StartsWith("$share/", StringComparison.Ordinal) ? "the cloud has no share in a subscription; leave out '$share' and the group"
        : !MqttRules.IsFilter(filter) || filter.Contains('\0', StringComparison.Ordinal)
            ? "it is no topic filter: it is not empty, '+' stands for a whole level, and '#' for the last ones"
        : null;

    private void Become(Func<ImmutableSortedSet<string>, ImmutableSortedSet<string>> change)
    {
        lock (_gate)
        {
            _state = new State(_state.Version + 1, change(_state.Managed).WithComparer(StringComparer.Ordinal));
        }

        Changed?.Invoke();
    }

    [LoggerMessage(LogLevel.Warning, "The stored topic '{Filter}' of the cloud is passed over: {Reason}")]
    private partial void LogPassedOver(string filter, string reason);

    private sealed record State(int Version, ImmutableSortedSet<string> Managed);
}
