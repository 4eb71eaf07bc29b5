using System.Buffers;
using System.Net;
using MQTTnet;
using MQTTnet.Server;

namespace EdgeOrleans.Benchmarks.Floors;

/// <summary>The least anything can do that answers over MQTT: the same broker, which sends each request back on its result topic.</summary>
internal static class EchoBroker
{
    public const string Ready = "ready";

    private const string Answered = "/result";

    /// <summary>Runs until the process is ended.</summary>
    public static async Task RunAsync(int port)
    {
        using var server = new MqttServerFactory().CreateMqttServer(new MqttServerOptionsBuilder()
            .WithDefaultEndpoint()
            .WithDefaultEndpointBoundIPAddress(IPAddress.Loopback)
            .WithDefaultEndpointBoundIPV6Address(IPAddress.None)
            .WithDefaultEndpointPort(port)
            .WithoutPacketFragmentation()
            .WithMaxPendingMessagesPerClient(100_000)
            .Build());
        server.InterceptingPublishAsync += publish => EchoAsync(server, publish);
        await server.StartAsync();
        Console.WriteLine(Ready);
        await Task.Delay(Timeout.InfiniteTimeSpan);
    }

    private static Task EchoAsync(MqttServer server, InterceptingPublishEventArgs publish)
    {
        // Its own answers come by here, too.
        if (publish.ApplicationMessage.Topic.EndsWith(Answered, StringComparison.Ordinal))
        {
            return Task.CompletedTask;
        }

        publish.ProcessPublish = false;
        var answer = new MqttApplicationMessage
        {
            Topic = publish.ApplicationMessage.Topic + Answered,
            PayloadSegment = new ArraySegment<byte>(publish.ApplicationMessage.Payload.ToArray()),
        };
        return server.InjectApplicationMessage(new InjectedMqttApplicationMessage(answer) { SenderClientId = "echo" });
    }
}
