using System.Globalization;

namespace EdgeOrleans.TestKit;

/// <summary>The real mosquitto clients, which are not ours: what they understand, others do too.</summary>
/// <param name="port">The MQTT port.</param>
public sealed class Mosquitto(int port)
{
    private const string Mark = "message ";

    /// <summary>Why they cannot be used, or null when they can.</summary>
    public static string? Missing { get; } = Array.Find(["mosquitto_pub", "mosquitto_sub", "stdbuf"], program => !InPath(program)) is { } missing
        ? $"{missing} is not installed; the packages mosquitto-clients and coreutils have it"
        : null;

    /// <summary>Publishes one message and waits until it is sent, or acknowledged when QoS asks for it.</summary>
    public Task<CommandResult> PublishAsync(string topic, string payload, params string[] more) =>
        ChildProcess.RunAsync("mosquitto_pub", ["-h", "127.0.0.1", "-p", Port, "-t", topic, "-m", payload, .. more]);

    /// <summary>Publishes the standard input line by line.</summary>
    public Task<CommandResult> PublishLinesAsync(string topic, string lines, params string[] more) =>
        ChildProcess.RunAsync("mosquitto_pub", ["-h", "127.0.0.1", "-p", Port, "-t", topic, "-l", .. more], input: lines);

    /// <summary>Subscribes, and waits until the broker has granted it.</summary>
    public async Task<MosquittoSubscription> SubscribeAsync(string topic, params string[] more)
    {
        // -d tells of the grant on standard output, between the messages; the mark tells them apart. In a pipe it would keep
        // its lines until there are many: stdbuf has it write each.
        var process = ChildProcess.Start(
            "stdbuf", ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", Port, "-t", topic, "-d", "-F", Mark + "%q %t %p", .. more]);
        await process.Output.LineAsync("Subscribed (mid");
        return new MosquittoSubscription(process, Mark);
    }

    private string Port => port.ToString(CultureInfo.InvariantCulture);

    private static bool InPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));
}

/// <summary>A running <c>mosquitto_sub</c>.</summary>
public sealed class MosquittoSubscription : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly string _mark;

    internal MosquittoSubscription(ChildProcess process, string mark) => (_process, _mark) = (process, mark);

    /// <summary>All messages so far, as <c>qos topic payload</c>.</summary>
    public IReadOnlyList<string> Messages => [.. _process.Output.Lines.Where(IsMessage).Select(line => line[_mark.Length..])];

    /// <summary>Waits for a message that holds a text, and returns it as <c>qos topic payload</c>.</summary>
    public async Task<string> MessageAsync(string part) =>
        (await _process.Output.LineAsync(line => IsMessage(line) && line.Contains(part, StringComparison.Ordinal), $"message with '{part}'"))[_mark.Length..];

    /// <summary>SIGKILL, and waits until the process is gone: its connection ends without a word.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.ExitAsync();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private bool IsMessage(string line) => line.StartsWith(_mark, StringComparison.Ordinal);
}
