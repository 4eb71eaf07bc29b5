using System.Collections.Concurrent;

namespace EdgeOrleans.Modules;

/// <summary>The modules of this process's role: which there are, in start order, and what each is doing.</summary>
public sealed class ModuleCatalog
{
    private readonly ConcurrentDictionary<string, ModuleStatus> _modules = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];

    /// <summary>All modules in start order.</summary>
    public IReadOnlyList<ModuleStatus> All
    {
        get
        {
            lock (_order)
            {
                return [.. _order.Select(name => _modules[name])];
            }
        }
    }

    /// <summary>Adds a module behind those that are there.</summary>
    public void Add(ModuleStatus module)
    {
        if (!_modules.TryAdd(module.Name, module))
        {
            throw new InvalidOperationException($"two modules are named {module.Name}; a module's name is unique on a node");
        }

        lock (_order)
        {
            _order.Add(module.Name);
        }
    }

    /// <summary>Notes what a module is doing now.</summary>
    public void Set(string name, ModuleState state, string detail = "") =>
        Change(name, module => module with { State = state, Detail = detail, IsDegraded = false });

    /// <summary>A module has started; what it has said of itself meanwhile stays.</summary>
    public void Started(string name) => Change(name, static module => module with { State = ModuleState.Running });

    /// <summary>Notes what a module says of itself, whatever its state.</summary>
    /// <param name="name">The module.</param>
    /// <param name="detail">What it says.</param>
    /// <param name="isDegraded">Whether it works with less than it should have, such as without its link.</param>
    public void Describe(string name, string detail, bool isDegraded = false) =>
        Change(name, module => module with { Detail = detail, IsDegraded = isDegraded });

    private void Change(string name, Func<ModuleStatus, ModuleStatus> change)
    {
        for (var before = _modules[name]; !_modules.TryUpdate(name, change(before), before); before = _modules[name])
        {
        }
    }

    /// <summary>The module of a name, KubeEdge's spellings included; null when there is none.</summary>
    public ModuleStatus? Find(string name) =>
        _modules.TryGetValue(name, out var module) || (ModuleNames.Aliases.TryGetValue(name, out var ours) && _modules.TryGetValue(ours, out module))
            ? module
            : null;
}
