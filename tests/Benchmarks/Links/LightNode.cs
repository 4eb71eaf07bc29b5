using System.Diagnostics;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link.Wire;

namespace EdgeOrleans.Benchmarks.Links;

/// <summary>A node that is nothing but its link: certificate, socket, the sign of life, and the answers of a node of ours.</summary>
internal sealed class LightNode(string name, X509Certificate2 certificate, Func<Uri> cloud, Random chance) : IAsyncDisposable
{
    private static readonly LinkSocketOptions Options = new();
    private readonly CancellationTokenSource _life = new();
    private Task _running = Task.CompletedTask;
    private volatile LinkSocket? _socket;
    private TaskCompletionSource _linked = NewSignal();

    public string Name => name;

    /// <summary>Completes when the link is up; after <see cref="Forget"/> when it is up again.</summary>
    public Task Linked => _linked.Task;

    /// <summary>Hears of every value that the cloud wants, with the moment.</summary>
    public Action<string, string, long>? Wanted { get; set; }

    /// <summary>Hears of every answer to a report.</summary>
    public Action<string>? Answered { get; set; }

    public void Begin() => _running = RunAsync();

    public void Forget() => _linked = NewSignal();

    /// <summary>Says that the node is alive.</summary>
    public void KeepAlive() => _socket?.TrySend(Message.Create("websocket", "resource", "keepalive", "node", "\"ping\""u8.ToArray(), 0));

    /// <summary>Reports a value; the id is what the answer names.</summary>
    public ValueTask ReportAsync(string device, long number, string id)
    {
        var content = Encoding.UTF8.GetBytes($$$$$"""{"event_id":"r","timestamp":{{{{{number}}}}},"twin":{"t":{"actual":{"value":"{{{{{number}}}}}","metadata":{"timestamp":{{{{{number}}}}}}},"optional":true,"metadata":{"type":"string"},"actual_version":{"cloud":0,"edge":{{{{{number}}}}}}}}}""");
        var message = Message.Create("twin", "resource", "update", $"device/{device}/twin/edge_updated", content, number);
        return _socket!.SendAsync(message with { Header = message.Header with { Id = id } });
    }

    public async ValueTask DisposeAsync()
    {
        await _life.CancelAsync();
        _socket?.Dispose();
        await _running;
        _life.Dispose();
    }

    private async Task RunAsync()
    {
        var backoff = new Backoff();
        while (!_life.IsCancellationRequested)
        {
            var since = Stopwatch.GetTimestamp();
            try
            {
                await LinkAsync();
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or HttpRequestException or IOException)
            {
                // The cloud is away.
            }

            backoff = backoff.After(Stopwatch.GetElapsedTime(since));
            double draw;
            lock (chance)
            {
                draw = chance.NextDouble();
            }

            await Task.Delay(backoff.Wait(draw), _life.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LinkAsync()
    {
        using var client = new ClientWebSocket();
        client.Options.ClientCertificates = [certificate];
        client.Options.RemoteCertificateValidationCallback = static (_, c, _, _) => c is not null;
        client.Options.SetRequestHeader("node_id", name);
        client.Options.SetRequestHeader("ConnectionUse", "msg");
        client.Options.SetRequestHeader("User-Agent", "EdgeOrleans/bench");
        Options.Apply(client.Options);
        await client.ConnectAsync(new Uri(cloud(), $"/bench/{name}/events"), _life.Token);
        using var socket = new LinkSocket(client, Options, TimeProvider.System);
        var running = socket.RunAsync(TakeAsync, static _ => { }, _life.Token);
        _socket = socket;
        KeepAlive();
        _linked.TrySetResult();
        await running;
        _socket = null;
    }

    private ValueTask TakeAsync(Message message, CancellationToken cancellation)
    {
        if (message.Header.ParentId is { } parent)
        {
            Answered?.Invoke(parent);
            return ValueTask.CompletedTask;
        }

        var now = Stopwatch.GetTimestamp();
        var answer = message.Respond("meta", Message.Text("OK"), 0);
        _socket?.TrySend(answer with { Route = answer.Route with { Group = "twin" } });
        if (message.Route.Resource is "membership" && Wanted is { } wanted)
        {
            using var content = JsonDocument.Parse(message.Content);
            foreach (var device in content.RootElement.GetProperty("added_devices").EnumerateArray())
            {
                Tell(device, wanted, now);
            }
        }

        return ValueTask.CompletedTask;
    }

    private void Tell(JsonElement device, Action<string, string, long> wanted, long now)
    {
        foreach (var property in device.GetProperty("twin").EnumerateObject())
        {
            if (property.Value.TryGetProperty("expected", out var expected))
            {
                wanted(device.GetProperty("id").GetString()!, expected.GetProperty("value").GetString()!, now);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
