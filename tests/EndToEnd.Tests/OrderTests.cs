using System.Globalization;
using System.Text;

namespace EdgeOrleans.EndToEnd;

/// <summary>Updates that do not wait for one another.</summary>
public sealed class OrderTests(RunningNode running) : IClassFixture<RunningNode>
{
    private const int Updates = 10_000;
    private readonly NodeProcess _node = running.Node;

    [Fact]
    public Task Ten_thousand_updates_of_one_device_are_answered_in_their_order_and_the_last_one_stays() => AllInOrderAsync("one", devices: 1, qos: 0);

    [Fact]
    public Task Ten_thousand_updates_of_a_hundred_devices_are_answered_in_the_order_of_each_and_the_last_one_stays() =>
        AllInOrderAsync("many", devices: 100, qos: 0);

    [Fact]
    public Task Acknowledged_updates_keep_their_order_too() => AllInOrderAsync("acknowledged", devices: 10, qos: 1);

    private async Task AllInOrderAsync(string prefix, int devices, int qos)
    {
        var newest = new int[devices];
        using var mqtt = await MqttSocket.ConnectAsync(_node.MqttPort, prefix, topics: $"$hw/events/device/+/+/twin/update/result");

        var sending = SendAsync(mqtt, prefix, devices, qos);
        await ReadAsync(mqtt, prefix, newest);
        await sending;

        Assert.All(newest, value => Assert.Equal(Updates / devices, value));
        await using var probe = await MqttProbe.ConnectAsync(_node.MqttPort);
        for (var device = 0; device < devices; device++)
        {
            Assert.Equal($"{Updates / devices}", (await probe.GetAsync($"default/{prefix}-{device}")).Actual("count"));
        }
    }

    private static async Task SendAsync(MqttSocket mqtt, string prefix, int devices, int qos)
    {
        for (var i = 0; i < Updates; i++)
        {
            var (device, value) = (i % devices, (i / devices) + 1);
            var report = TwinJson.Report($"{value}", ("count", $"{value}"));
            await mqtt.SendAsync(MqttPacket.Message($"$hw/events/device/default/{prefix}-{device}/twin/update", report, qos, (ushort)(i + 1)));
        }
    }

    private static async Task ReadAsync(MqttSocket mqtt, string prefix, int[] newest)
    {
        for (var answers = 0; answers < Updates; answers++)
        {
            var packet = await mqtt.ReadAsync(MqttPacket.Publish);
            var topic = Encoding.UTF8.GetString(packet.Topic).Split('/');
            var answer = JsonNode.Parse(packet.Payload)!;
            Assert.StartsWith(prefix, topic[4], StringComparison.Ordinal);
            Assert.Null(answer["code"]);

            // The event id is the value: an answer that holds another one was mixed up.
            var device = int.Parse(topic[4][(prefix.Length + 1)..], CultureInfo.InvariantCulture);
            newest[device]++;
            Assert.Equal($"{newest[device]}", (string?)answer["event_id"]);
            Assert.Equal($"{newest[device]}", (string?)answer["twin"]!["count"]!["actual"]!["value"]);
        }
    }
}
