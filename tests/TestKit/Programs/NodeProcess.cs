using System.Globalization;

namespace EdgeOrleans.TestKit;

/// <summary>The published node in a process of its own, with its own data folder and ports. It can be killed and started again on both.</summary>
public class NodeProcess : IAsyncDisposable
{
    private const string ReadyLine = "ready in ";

    private readonly NodeSetup _setup;
    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    /// <summary>A node that does not run yet.</summary>
    public NodeProcess(NodeSetup? setup = null)
    {
        _setup = setup ?? new NodeSetup();
        Data = _setup.Data ?? _folder.PathOf("data");
        var ports = FreePorts.Take(4);
        (SiloPort, GatewayPort, HttpPort, MqttPort) = (ports[0], ports[1], ports[2], ports[3]);
        Console = new EdgeCtl(GatewayPort);
    }

    /// <summary>A node with more arguments that does not run yet.</summary>
    public NodeProcess(params string[] arguments)
        : this(new NodeSetup { Arguments = arguments })
    {
    }

    /// <summary>The data folder.</summary>
    public string Data { get; }

    /// <summary>The folder of the settings' files; not made yet.</summary>
    public string Conf => Path.Combine(Data, "conf");

    /// <summary>Orleans' port between silos.</summary>
    public int SiloPort { get; }

    /// <summary>The console's port.</summary>
    public int GatewayPort { get; }

    /// <summary>The port of health and metrics.</summary>
    public int HttpPort { get; }

    /// <summary>The MQTT port.</summary>
    public int MqttPort { get; }

    /// <summary>The console, talking to this node.</summary>
    public EdgeCtl Console { get; }

    /// <summary>The process id.</summary>
    public int Id => Process.Id;

    /// <summary>What this run has written to standard output.</summary>
    public ProcessOutput Output => Process.Output;

    /// <summary>What this run has written to standard error.</summary>
    public ProcessOutput Error => Process.Error;

    /// <summary>Whether this run is over.</summary>
    public bool HasExited => Process.HasExited;

    private ChildProcess Process => _process ?? throw new InvalidOperationException("the node was not started");

    /// <summary>Starts the node and waits until it says that it is ready.</summary>
    public async Task<NodeProcess> StartAsync()
    {
        await LaunchAsync();
        return await ReadyAsync();
    }

    /// <summary>Starts the node and waits for nothing.</summary>
    public async Task LaunchAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        string[] command = [.. _setup.Under, await PublishedPrograms.SiloAsync(), .. Arguments()];
        _process = ChildProcess.Start(command[0], command[1..], _setup.Environment, _folder.Path);
    }

    /// <summary>Waits until the node says that it is ready.</summary>
    public async Task<NodeProcess> ReadyAsync()
    {
        try
        {
            await Output.LineAsync(ReadyLine);
            return this;
        }
        catch (EndOfStreamException e)
        {
            throw new EndOfStreamException($"{e.Message}\n{Error.Text}");
        }
    }

    /// <summary>Runs the node to an end that comes by itself, as with <c>--version</c> or a wrong setting.</summary>
    public async Task<CommandResult> RunAsync()
    {
        await LaunchAsync();
        return await Process.ResultAsync();
    }

    /// <summary>Waits for the end and returns the exit code.</summary>
    public Task<int> ExitAsync() => Process.ExitAsync();

    /// <summary>Sends a signal by its name without <c>SIG</c>, such as <c>TERM</c>.</summary>
    public void Signal(string name) => Process.Signal(name);

    /// <summary>Asks the node to stop and returns its exit code.</summary>
    public Task<int> StopAsync()
    {
        Signal("TERM");
        return ExitAsync();
    }

    /// <summary>SIGKILL, and waits until the process is gone.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await ExitAsync();
    }

    /// <summary>GET of a path of the HTTP door: the status and the text.</summary>
    public async Task<(int Status, string Text)> GetAsync(string path)
    {
        using var http = new HttpClient { Timeout = Patience.Default };
        using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{HttpPort}{path}"));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private IEnumerable<string> Arguments() => [.. Role(), .. _setup.WithPorts ? Ports() : [], "--data", Data, .. _setup.Arguments];

    /// <summary>The words that say what the program is to be.</summary>
    private protected virtual string[] Role() => [];

    /// <summary>The arguments for the ports of its doors.</summary>
    private protected virtual string[] Doors() => [Invariant($"--modules.eventBus.mqttServerInternal=tcp://127.0.0.1:{MqttPort}")];

    private string[] Ports() =>
    [
        Invariant($"--silo.port={SiloPort}"),
        Invariant($"--silo.gatewayPort={GatewayPort}"),
        Invariant($"--http.listen=http://127.0.0.1:{HttpPort}"),
        .. Doors(),
    ];

    private protected static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
