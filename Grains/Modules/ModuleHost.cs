using EdgeOrleans.Beehive;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Modules;

/// <summary>Starts the modules of the role in their order and stops them in reverse. A module that fails stops no other; one that refuses the start (<see cref="StartRefusedException"/>) stops the program.</summary>
/// <remarks>All queues are open before the first module starts: what an early module tells a later one waits there.</remarks>
internal sealed partial class ModuleHost(
    IServiceProvider services, IEnumerable<ModuleRegistration> registrations, ModuleCatalog catalog, ModuleQueues queues, IModuleContext beehive,
    IConfiguration settings, IOptions<BeehiveOptions> options, TimeProvider time, ILogger<ModuleHost> logger) : IHostedService
{
    private readonly List<ModuleRegistration> _registrations = [.. registrations];
    private readonly TimeSpan _drain = options.Value.Drain;
    private readonly List<IModule> _running = [];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when every enabled module has started or failed.</summary>
    public Task Started => _started.Task;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var modules = new List<IModule>();
        foreach (var registration in _registrations)
        {
            if (await RegisterAsync(registration, cancellationToken) is { } module)
            {
                modules.Add(module);
            }
        }

        foreach (var module in modules)
        {
            await StartAsync(module, cancellationToken);
        }

        _started.TrySetResult();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _started.TrySetCanceled(CancellationToken.None);
        foreach (var module in Enumerable.Reverse(_running))
        {
            await StopAsync(module, cancellationToken);
        }

        _running.Clear();
    }

    private async Task<IModule?> RegisterAsync(ModuleRegistration registration, CancellationToken cancellation)
    {
        if (registration.Create is null)
        {
            AddAbsent(registration);
            return null;
        }

        if (registration.WhyNot?.Invoke(services) is { } whyNot && IsEnabled(registration.Name!, registration.EnabledByDefault))
        {
            Add(registration.Name!, registration.Group, ModuleState.Disabled);
            catalog.Describe(registration.Name!, whyNot);
            LogNotNeeded(registration.Name!, whyNot);
            return null;
        }

        // A module of ours is not made when it is off; a user's must be made to know its name.
        if ((registration.Name is { } known && IsDisabled(known, registration.Group, registration))
            || Create(registration) is not { } module
            || (registration.Name is null && IsDisabled(module.Name, module.Group, registration)))
        {
            return null;
        }

        Add(module.Name, module.Group, ModuleState.Stopped);
        if (module.Group.Length > 0)
        {
            await beehive.AddModuleAsync(module.Name, cancellation);
            await beehive.AddModuleGroupAsync(module.Name, module.Group, cancellation);
        }

        LogRegistered(module.Name, module.Group.Length > 0 ? module.Group : "none");
        return module;
    }

    private bool IsDisabled(string name, string group, ModuleRegistration registration)
    {
        if (IsEnabled(name, registration.EnabledByDefault))
        {
            return false;
        }

        Add(name, group, ModuleState.Disabled);
        LogDisabled(name);
        return true;
    }

    private void AddAbsent(ModuleRegistration registration)
    {
        var name = registration.Name!;
        var enabled = IsEnabled(name, registration.EnabledByDefault);
        catalog.Add(new ModuleStatus { Name = name, Group = registration.Group, Enabled = enabled, State = ModuleState.NotBuilt });
        if (enabled)
        {
            LogEnabledButNotBuilt(name);
        }
        else
        {
            LogNotBuilt(name);
        }
    }

    private IModule? Create(ModuleRegistration registration)
    {
        try
        {
            var module = registration.Create!(services);
            return registration.Name is null || (registration.Name, registration.Group) == (module.Name, module.Group)
                ? module
                : throw new InvalidOperationException($"it is registered as {registration.Name} and says that it is {module.Name}, group '{module.Group}'");
        }
        catch (Exception e) when (e is not StartRefusedException)
        {
            var name = registration.Name ?? $"user-{_registrations.IndexOf(registration)}";
            Add(name, registration.Group, ModuleState.Stopped);
            catalog.Set(name, ModuleState.Failed, e.Message);
            LogStartFailed(e, name);
            return null;
        }
    }

    private async Task StartAsync(IModule module, CancellationToken cancellation)
    {
        try
        {
            await module.StartAsync(cancellation);
            catalog.Started(module.Name);
            _running.Add(module);
        }
        catch (StartRefusedException e)
        {
            catalog.Set(module.Name, ModuleState.Failed, e.Message);
            throw;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            catalog.Set(module.Name, ModuleState.Failed, e.Message);
            LogStartFailed(e, module.Name);
            await CleanupAsync(module, TimeSpan.Zero, cancellation);
        }
    }

    private async Task StopAsync(IModule module, CancellationToken cancellation)
    {
        catalog.Set(module.Name, ModuleState.Stopped);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(_drain);
        try
        {
            await module.StopAsync(deadline.Token).WaitAsync(_drain, time, cancellation);
        }
        catch (Exception e)
        {
            LogStopFailed(e, module.Name);
        }

        await CleanupAsync(module, _drain, cancellation);
    }

    private async Task CleanupAsync(IModule module, TimeSpan drain, CancellationToken cancellation)
    {
        var (since, waiting, left) = (time.GetTimestamp(), 0, 0);
        if (module.Group.Length > 0)
        {
            waiting = queues.Find(module.Name)?.Count ?? 0;
            left = await beehive.CleanupAsync(module.Name, drain, cancellation);
            await FinishAsync(module, drain, cancellation);
        }

        LogCleanup(module.Name, Math.Max(0, waiting - left), left, (long)time.GetElapsedTime(since).TotalMilliseconds);
    }

    // What the module received last may still be in its hands.
    private async Task FinishAsync(IModule module, TimeSpan drain, CancellationToken cancellation)
    {
        if (module is not ReceivingModule receiving)
        {
            return;
        }

        try
        {
            await receiving.Completion.WaitAsync(drain, time, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            LogStopFailed(e, module.Name);
        }
    }

    private void Add(string name, string group, ModuleState state) =>
        catalog.Add(new ModuleStatus { Name = name, Group = group, Enabled = state != ModuleState.Disabled, State = state });

    private bool IsEnabled(string name, bool byDefault) => !ModuleSwitch.IsFor(name) || settings.GetValue(ModuleSwitch.PathOf(name), byDefault);

    [LoggerMessage(LogLevel.Information, "Module {Module} registered, group {Group}")]
    private partial void LogRegistered(string module, string group);

    [LoggerMessage(LogLevel.Warning, "Module {Module} is disabled")]
    private partial void LogDisabled(string module);

    [LoggerMessage(LogLevel.Information, "Module {Module} is disabled: {Reason}")]
    private partial void LogNotNeeded(string module, string reason);

    [LoggerMessage(LogLevel.Information, "Module {Module} is not built")]
    private partial void LogNotBuilt(string module);

    [LoggerMessage(LogLevel.Warning, "Module {Module} is enabled, and it is not built yet")]
    private partial void LogEnabledButNotBuilt(string module);

    [LoggerMessage(LogLevel.Error, "Module {Module} did not start; the others go on without it")]
    private partial void LogStartFailed(Exception exception, string module);

    [LoggerMessage(LogLevel.Error, "Module {Module} did not stop as it should")]
    private partial void LogStopFailed(Exception exception, string module);

    [LoggerMessage(LogLevel.Information, "Cleanup of {Module}: {Drained} messages drained, {Left} left, {Milliseconds} ms")]
    private partial void LogCleanup(string module, int drained, int left, long milliseconds);
}
