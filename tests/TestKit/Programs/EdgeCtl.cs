namespace EdgeOrleans.TestKit;

/// <summary>The published console, run as a user runs it in a pipe.</summary>
/// <param name="gatewayPort">The console's port of the node to ask.</param>
public sealed class EdgeCtl(int gatewayPort)
{
    private readonly Dictionary<string, string?> _environment = new() { ["EDGECTL_SERVER"] = $"127.0.0.1:{gatewayPort}" };

    /// <summary>Runs a command to its end.</summary>
    public async Task<CommandResult> RunAsync(params string[] arguments) =>
        await ChildProcess.RunAsync(await PublishedPrograms.ClientAsync(), arguments, _environment);

    /// <summary>Runs a command with something on its standard input.</summary>
    public async Task<CommandResult> RunWithInputAsync(string input, params string[] arguments) =>
        await ChildProcess.RunAsync(await PublishedPrograms.ClientAsync(), arguments, _environment, input);

    /// <summary>Runs a command that must succeed, and returns what it wrote.</summary>
    public async Task<string> OutputAsync(params string[] arguments) => (await RunAsync(arguments)).Succeeded().Output;

    /// <summary>Starts a command that goes on, such as <c>twin watch</c>.</summary>
    public async Task<ChildProcess> StartAsync(params string[] arguments) =>
        ChildProcess.Start(await PublishedPrograms.ClientAsync(), arguments, _environment);
}
