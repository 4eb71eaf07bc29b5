using System.Collections.Concurrent;
using System.Text.Json;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Client.Simulation;
using EdgeOrleans.TestKit;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace EdgeOrleans.Client;

public sealed class SimulateTests
{
    [Fact]
    public async Task Devices_report_online_and_their_reports_are_measured()
    {
        await using var node = await AnsweringBroker.StartAsync(_ => new { twin = new { } });

        var outcome = await SimulateAsync(node, "--devices", "3", "--interval", "20ms", "--connections", "2", "--properties", "3");

        Assert.Equal(0, outcome.ExitCode);
        Assert.True(outcome.Json.GetProperty("answered").GetInt64() > 3);
        Assert.Equal(2, outcome.Json.GetProperty("connections").GetInt32());
        Assert.True(outcome.Json.GetProperty("latency_ms").GetProperty("p99").GetDouble() > 0);
        Assert.Equal(3, node.Received.Count(m => m.Topic.EndsWith("/state/update", StringComparison.Ordinal)));
        var report = node.Received.First(m => m.Topic == "$hw/events/device/default/sim-0/twin/update").Json;
        Assert.Equal(["temperature", "humidity", "pressure"], report.GetProperty("twin").EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task A_device_does_as_it_is_told()
    {
        await using var node = await AnsweringBroker.StartAsync(_ => new { twin = new { } }, _ => new { delta = new { temperature = "77" } });

        var outcome = await SimulateAsync(node, "--devices", "1", "--interval", "20ms");

        Assert.Equal(1, outcome.Json.GetProperty("adopted").GetInt64());
        Assert.Contains(node.Received, m => m.Topic.EndsWith("/twin/update", StringComparison.Ordinal)
            && m.Json.GetProperty("twin").GetProperty("temperature").GetProperty("actual").GetProperty("value").GetString() == "77");
    }

    [Fact]
    public async Task Refusals_are_counted_by_code()
    {
        await using var node = await AnsweringBroker.StartAsync(_ => new { code = 404, reason = "no such device" });

        var outcome = await SimulateAsync(node, "--devices", "1", "--interval", "50ms", "--qos", "0");

        var error = outcome.Json.GetProperty("errors")[0];
        Assert.Equal((404, "no such device"), (error.GetProperty("code").GetInt32(), error.GetProperty("reason").GetString()));
        Assert.Equal(outcome.Json.GetProperty("answered").GetInt64(), outcome.Json.GetProperty("refused").GetInt64());
    }

    [Fact]
    public async Task A_broker_that_answers_nothing_fails_the_simulation()
    {
        await using var node = await AnsweringBroker.StartAsync(_ => null);

        var outcome = await SimulateAsync(node, "--devices", "1");

        Assert.Equal(ExitCodes.Failed, outcome.ExitCode);
        Assert.Contains("nothing was answered", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_goes_away_is_said_and_its_reports_are_unanswered()
    {
        await using var node = await AnsweringBroker.StartAsync(_ => new { twin = new { } });
        var running = SimulateAsync(node, "--devices", "1", "--interval", "20ms", "--duration", "2s");
        await node.Reported.WaitAsync(TestContext.Current.CancellationToken);

        await node.DisposeAsync();

        var outcome = await running;
        Assert.Equal(ExitCodes.Unreachable, outcome.ExitCode);
        Assert.Contains("went away", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.InRange(outcome.Json.GetProperty("unanswered").GetInt64(), 5, long.MaxValue);
        Assert.True(outcome.Json.GetProperty("lost").GetInt64() > 0);
    }

    [Fact]
    public async Task A_broker_that_acknowledges_nothing_is_named()
    {
        await using var node = await AnsweringBroker.StartAsync(_ => null, isStuck: true);
        var options = new SimulationOptions
        {
            Broker = new ServerAddress("127.0.0.1", node.Port),
            Devices = 2,
            Connections = 1,
            Interval = TimeSpan.FromSeconds(1),
            Properties = 1,
            Qos = 1,
            Namespace = "default",
            Prefix = "sim-",
            Patience = TimeSpan.FromMilliseconds(500),
        };
        using var fleet = new Fleet(options, TimeProvider.System);
        await fleet.ConnectAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<CommandException>(() => fleet.SayOnlineAsync(TestContext.Current.CancellationToken));

        Assert.Equal($"the broker at {options.Broker} knows 0 of 2 devices to be online, and then: no answer in time; if it is only busy, fewer --devices help", failure.Message);
        Assert.Equal(ExitCodes.Unreachable, failure.ExitCode);
    }

    private static Task<Ctl.Outcome> SimulateAsync(AnsweringBroker node, params string[] args) =>
        Ctl.RunAsync(["simulate", "--mqtt", $"127.0.0.1:{node.Port}", .. args.Contains("--duration") ? [] : new[] { "--duration", "600ms" }, "-o", "json", .. args], cancellation: TestContext.Current.CancellationToken);

    /// <summary>A broker that answers each report as a node would.</summary>
    private sealed class AnsweringBroker : IAsyncDisposable
    {
        private readonly MqttServer _server;
        private readonly CancellationTokenSource _stop = new();

        private AnsweringBroker(MqttServer server, int port) => (_server, Port) = (server, port);

        public int Port { get; }

        /// <summary>Ends when the first report was answered.</summary>
        public SemaphoreSlim Reported { get; } = new(0);

        public ConcurrentQueue<(string Topic, JsonElement Json)> Received { get; } = new();

        public static async Task<AnsweringBroker> StartAsync(Func<JsonElement, object?> result, Func<JsonElement, object?>? delta = null, bool isStuck = false)
        {
            var port = FreePorts.Take();
            var factory = new MqttServerFactory();
            var options = factory.CreateServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointPort(port).Build();
            var broker = new AnsweringBroker(factory.CreateMqttServer(options), port);
            broker._server.InterceptingPublishAsync += async e =>
            {
                if (e.ClientId == "node")
                {
                    return;
                }

                if (isStuck)
                {
                    await Task.Delay(Timeout.Infinite, broker._stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
                }

                using var document = JsonDocument.Parse(e.ApplicationMessage.Payload);
                var report = document.RootElement.Clone();
                broker.Received.Enqueue((e.ApplicationMessage.Topic, report));
                if (e.ApplicationMessage.Topic.EndsWith("/twin/update", StringComparison.Ordinal))
                {
                    await broker.SendAsync(e.ApplicationMessage.Topic + "/result", report, result(report));
                    await broker.SendAsync(e.ApplicationMessage.Topic + "/delta", report, delta?.Invoke(report));
                    broker.Reported.Release();
                }
            };
            await broker._server.StartAsync();
            return broker;
        }

        public async ValueTask DisposeAsync()
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            await _stop.CancelAsync();
            await _server.StopAsync();
            _server.Dispose();
        }

        private async Task SendAsync(string topic, JsonElement report, object? answer)
        {
            if (answer is null)
            {
                return;
            }

            var json = JsonSerializer.SerializeToNode(answer)!.AsObject();
            json["event_id"] = report.GetProperty("event_id").GetString();
            var message = new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(json.ToJsonString()).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
            await _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(message) { SenderClientId = "node" });
        }
    }
}
