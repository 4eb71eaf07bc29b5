using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>A link as a stock edgecore has it (reference 1.1 and 8.2): its headers, its envelopes, the answers of its socket, and no word more.</summary>
internal sealed class StockEdge : IAsyncDisposable
{
    private readonly ClientWebSocket _socket;
    private readonly Task _reading;
    private readonly SemaphoreSlim _sending = new(1);
    private int _id;

    private StockEdge(ClientWebSocket socket)
    {
        _socket = socket;
        _reading = ReadAsync();
    }

    /// <summary>What the cloud has said, control messages aside.</summary>
    public Arrivals<JsonNode> Heard { get; } = new();

    /// <summary>Whether the socket answers pings, as a stock edge's always does.</summary>
    public bool AnswersPings { get; set; } = true;

    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    /// <summary>Completes when the cloud has ended the link.</summary>
    public Task Ended => _reading.WaitAsync(Patience.Default);

    /// <summary>A certificate from the bootstrap door, as edgecore gets it.</summary>
    public static async Task<X509Certificate2> CertificateAsync(CloudSilo cloud, string node)
    {
        using var key = new Csr();
        var token = await cloud.TokenAsync(node);
        using var http = EdgecoreHttp.Unverified(cloud.Bootstrap);
        return key.WithKey((await http.CertificateAsync(node, key.Of(node), token.Bearer)).Body);
    }

    /// <summary>The upgrade as a stock edge asks for it. The status is what the cloud said; 101 comes with a link.</summary>
    public static async Task<(HttpStatusCode Status, StockEdge? Edge)> DialAsync(
        CloudSilo cloud, X509Certificate2? certificate, string node = "edge-1", string? path = null, string use = "msg", string? agent = "Go-http-client/1.1")
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.RemoteCertificateValidationCallback = static (_, c, _, _) => c is not null;
        if (certificate is not null)
        {
            socket.Options.ClientCertificates = [certificate];
        }

        socket.Options.SetRequestHeader("Node_id", node);
        socket.Options.SetRequestHeader("Project_id", "e632aba927ea4ac2b575ec1603d56f10");
        socket.Options.SetRequestHeader("Connectionuse", use);
        socket.Options.SetRequestHeader("User-Agent", agent);
        try
        {
            await socket.ConnectAsync(new Uri(cloud.Link, path ?? $"/e632aba927ea4ac2b575ec1603d56f10/{node}/events"), TestContext.Current.CancellationToken);
            return (HttpStatusCode.SwitchingProtocols, new StockEdge(socket));
        }
        catch (WebSocketException)
        {
            var status = socket.HttpStatusCode;
            socket.Dispose();
            return (status, null);
        }
    }

    /// <summary>Joins, links and says that it is alive.</summary>
    public static async Task<StockEdge> JoinAsync(CloudSilo cloud, string node = "edge-1", string? agent = "Go-http-client/1.1")
    {
        using var certificate = await CertificateAsync(cloud, node);
        var edge = (await DialAsync(cloud, certificate, node, agent: agent)).Edge ?? throw new InvalidOperationException("the cloud refused the link");
        await edge.SendAsync(EdgeOrleans.Link.Wire.Captures.KeepAlive);
        return edge;
    }

    /// <summary>Sends an envelope as it is.</summary>
    public async Task SendAsync(string envelope)
    {
        await _sending.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(envelope + "\n"), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Sends an envelope of these words, and returns its id.</summary>
    public async Task<string> SayAsync(string source, string group, string operation, string resource, JsonNode? content, string? parent = null)
    {
        var id = $"edge-{++_id}";
        var header = new JsonObject { ["msg_id"] = id, ["timestamp"] = 1 };
        if (parent is not null)
        {
            header["parent_msg_id"] = parent;
        }

        await SendAsync(new JsonObject
        {
            ["header"] = header,
            ["route"] = new JsonObject { ["source"] = source, ["group"] = group, ["operation"] = operation, ["resource"] = resource },
            ["content"] = content,
        }.ToJsonString());
        return id;
    }

    /// <summary>Reports one side of a property, with its version.</summary>
    public Task<string> ReportAsync(string device, string property, string side, string value, long cloud, long edge, long timestamp = 1) =>
        SayAsync("twin", "resource", "update", $"device/{device}/twin/edge_updated", new JsonObject
        {
            ["event_id"] = "r",
            ["timestamp"] = timestamp,
            ["twin"] = new JsonObject
            {
                [property] = new JsonObject
                {
                    [side] = new JsonObject { ["value"] = value, ["metadata"] = new JsonObject { ["timestamp"] = timestamp } },
                    ["optional"] = true,
                    ["metadata"] = new JsonObject { ["type"] = "string" },
                    [$"{side}_version"] = new JsonObject { ["cloud"] = cloud, ["edge"] = edge },
                },
            },
        });

    /// <summary>Asks for all devices and waits for the list.</summary>
    public async Task<JsonNode> ListAsync()
    {
        var before = Heard.Count;
        await SendAsync(EdgeOrleans.Link.Wire.Captures.MembershipQuery);
        return await Heard.FirstAsync(static m => Resource(m) == "membership/detail", "the list of all devices", after: before);
    }

    /// <summary>The cloud's answer to a message.</summary>
    public Task<JsonNode> AnswerAsync(string id) => Heard.FirstAsync(m => Parent(m) == id, $"the answer to {id}");

    /// <summary>The next message about a resource, behind so many that were heard.</summary>
    public Task<JsonNode> NextAsync(string resource, int after = 0) => Heard.FirstAsync(m => Resource(m) == resource && Parent(m) is null, resource, after: after);

    public static string? Parent(JsonNode message) => (string?)message["header"]!["parent_msg_id"];

    public static string? Resource(JsonNode message) => (string?)message["route"]!["resource"];

    public static string? Operation(JsonNode message) => (string?)message["route"]!["operation"];

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            using var frame = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (true)
            {
                var read = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                frame.Write(buffer, 0, read.Count);
                if (read.EndOfMessage)
                {
                    await TakeAsync(JsonNode.Parse(frame.ToArray())!);
                    frame.SetLength(0);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            // The line is dead.
        }

        Heard.End();
    }

    private async Task TakeAsync(JsonNode message)
    {
        if (Operation(message) != "ping")
        {
            Heard.Add(message);
        }
        else if (AnswersPings)
        {
            await SayAsync("", "", "response", "/control/ping", "ack", (string)message["header"]!["msg_id"]!);
        }
    }
}
