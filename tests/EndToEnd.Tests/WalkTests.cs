namespace EdgeOrleans.EndToEnd;

/// <summary>What the README walks a newcomer through, with the programs as they are published.</summary>
public sealed class WalkTests
{
    [Fact]
    public async Task The_walk_works_start_simulate_query_change_watch_stop_and_start_again()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var node = await new NodeProcess().StartAsync();

        var simulation = JsonNode.Parse(await node.Console.OutputAsync(
            "simulate", "--devices", "3", "--interval", "200ms", "--duration", "3s", "--mqtt", $"127.0.0.1:{node.MqttPort}", "-o", "json"))!;
        Assert.True((int)simulation["answered"]! > 0, simulation.ToJsonString());
        Assert.Equal(0, (int)simulation["refused"]!);

        var devices = JsonNode.Parse(await node.Console.OutputAsync("get", "devices", "-o", "json"))!.AsArray();
        Assert.Equal(["default/sim-0", "default/sim-1", "default/sim-2"], devices.Select(device => (string?)device!["id"]).Order(StringComparer.Ordinal));
        Assert.All(devices, device => Assert.Equal("online", (string?)device!["state"]));
        Assert.Contains("temperature", await node.Console.OutputAsync("describe", "device", "sim-1"), StringComparison.Ordinal);

        await ChangeAsync(node);
        await WatchAsync(node);

        Assert.Equal(0, await node.StopAsync());
        await node.StartAsync();
        Assert.Equal("25", (string?)(await TwinAsync(node))["temperature"]!["expected"]!["value"]);
        Assert.Equal("21", (string?)(await TwinAsync(node))["temperature"]!["actual"]!["value"]);
    }

    private static async Task ChangeAsync(NodeProcess node)
    {
        await using var device = await new Mosquitto(node.MqttPort).SubscribeAsync("$hw/events/device/default/sim-1/twin/update/delta");

        await node.Console.OutputAsync("twin", "set", "sim-1", "temperature=25");

        Assert.Contains("\"temperature\":\"25\"", await device.MessageAsync("\"delta\""), StringComparison.Ordinal);
        Assert.Equal("25", (string?)(await TwinAsync(node))["temperature"]!["expected"]!["value"]);
    }

    private static async Task WatchAsync(NodeProcess node)
    {
        await using var watch = await node.Console.StartAsync("twin", "watch", "sim-1");
        await watch.Output.LineAsync("expected=25");

        await new Mosquitto(node.MqttPort).PublishAsync(
            "$hw/events/device/sim-1/twin/update", TwinJson.Report("w", "int", ("temperature", "21")), "-q", "1");

        await watch.Output.LineAsync("actual=21");
        watch.Signal("INT");
        Assert.Equal(0, await watch.ExitAsync());
        Assert.DoesNotContain('\e', watch.Output.Text);
    }

    private static async Task<JsonNode> TwinAsync(NodeProcess node)
    {
        var document = JsonNode.Parse(await node.Console.OutputAsync("twin", "get", "default/sim-1", "-o", "json"))!;
        Assert.Equal("default/sim-1", (string?)document["id"]);
        return document["twin"]!;
    }
}
