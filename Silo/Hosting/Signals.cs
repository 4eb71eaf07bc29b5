using System.Runtime.InteropServices;

namespace EdgeOrleans.Hosting;

/// <summary>Signals that ask the process to stop. The first one asks, the second one ends the process at once.</summary>
internal sealed class Signals : IDisposable
{
    private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Signals()
    {
        foreach (var (name, number) in Caught)
        {
            Register(name, number);
        }
    }

    /// <summary>Ends with the name of the first signal.</summary>
    public Task<string> First => _first.Task;

    public void Dispose() => _registrations.ForEach(r => r.Dispose());

    private void Register(string name, int number)
    {
        try
        {
            // A positive number is the operating system's own; the names .NET has are negative.
            _registrations.Add(PosixSignalRegistration.Create((PosixSignal)number, context => Receive(name, number, context)));
        }
        catch (Exception e) when (e is PlatformNotSupportedException or IOException)
        {
            // What cannot be caught does what the operating system does with it.
        }
    }

    private void Receive(string name, int number, PosixSignalContext context)
    {
        context.Cancel = true;
        if (!_first.TrySetResult(name))
        {
            // As a shell reports a process that a signal ended.
            Environment.Exit(128 + number);
        }
    }

    private static readonly (string Name, int Number)[] Caught =
        [("SIGHUP", 1), ("SIGINT", 2), ("SIGQUIT", 3), ("SIGILL", 4), ("SIGTRAP", 5), ("SIGABRT", 6), ("SIGTERM", 15)];
}
