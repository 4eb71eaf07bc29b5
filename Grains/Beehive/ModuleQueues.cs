using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Beehive;

/// <summary>The modules of this process that listen, by name and by group.</summary>
internal sealed class ModuleQueues(ModuleCatalog catalog, IOptions<BeehiveOptions> options)
{
    private readonly ConcurrentDictionary<string, ModuleQueue> _queues = new(StringComparer.Ordinal);
    private readonly Lock _changing = new();
    private volatile ImmutableDictionary<string, ImmutableArray<ModuleQueue>> _groups =
        Groups.All.ToImmutableDictionary(group => group, _ => ImmutableArray<ModuleQueue>.Empty, StringComparer.Ordinal);

    /// <summary>The queue of a module, KubeEdge's spellings included, whether it is open or closed; null when there is none.</summary>
    public ModuleQueue? Find(string module) =>
        _queues.TryGetValue(module, out var queue) || (ModuleNames.Aliases.TryGetValue(module, out var ours) && _queues.TryGetValue(ours, out queue))
            ? queue
            : null;

    /// <summary>The open queue of a module.</summary>
    /// <exception cref="ModuleUnavailableException">There is none, and why.</exception>
    public ModuleQueue Open(string module) => Find(module) is { IsClosed: false } queue ? queue : throw Unavailable(module);

    /// <summary>The members of a group in the order they joined.</summary>
    public ImmutableArray<ModuleQueue> Members(string group) => _groups.TryGetValue(group, out var members) ? members : throw UnknownGroup(group);

    public void Add(string module)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(module);
        lock (_changing)
        {
            if (_queues.TryGetValue(module, out var there) && !there.Drained.IsCompleted)
            {
                throw new InvalidOperationException($"module {module} is added already; it must be cleaned up before it can be added again");
            }

            _queues[module] = new ModuleQueue(module, options.Value.PerKey);
        }
    }

    public void Join(string module, string group)
    {
        lock (_changing)
        {
            var (queue, members) = (Open(module), Members(group));
            queue.Listen(group);
            if (!members.Contains(queue))
            {
                _groups = _groups.SetItem(group, members.Add(queue));
            }
        }
    }

    /// <summary>Takes a module out of its groups and closes its queue.</summary>
    /// <returns>The message that ends the queue, to be sent over each of its streams; null when it is closed already.</returns>
    public Message? Close(ModuleQueue queue)
    {
        lock (_changing)
        {
            _groups = _groups.ToImmutableDictionary(g => g.Key, g => g.Value.Remove(queue), StringComparer.Ordinal);
            return queue.Close();
        }
    }

    public ModuleUnavailableException Unavailable(string module) => new(module, Why(module));

    private string Why(string module) => (catalog.Find(module)?.State, Find(module)) switch
    {
        (ModuleState.Disabled, _) => "not enabled",
        (ModuleState.NotBuilt, _) => "not built",
        (ModuleState.Failed, _) => "failed; the log says why",
        (ModuleState.Stopped, _) => "stopped",
        (_, { IsClosed: true }) => "stopped",
        (ModuleState.Running, _) => "not one that takes messages",
        _ => "unknown",
    };

    private static RefusedException UnknownGroup(string group) => new(404, $"there is no group '{group}'; the groups are {string.Join(", ", Groups.All)}");
}
