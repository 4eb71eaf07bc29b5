using System.Globalization;

namespace EdgeOrleans.Fault;

/// <summary>
/// A node beside a real mosquitto, with devices that report and publish and hear what the node says; both are ended at random moments.
/// </summary>
public sealed class OutsideBrokerTests
{
    private const int FarDevices = 4;
    private const string Client = "edgeorleans-fault";

    /// <summary>What ends in a round.</summary>
    private enum End
    {
        BrokerInOrder,
        NodeKilled,
        BrokerKilled,
        BothKilled,
        NodeInOrder,
        BrokerInOrderAndNodeKilled,
    }

    [Theory]
    [InlineData("v5")]
    [InlineData("v311")]
    public Task In_mode_2_ends_of_mosquitto_and_of_the_node_lose_nothing_keep_the_order_and_bring_no_echo(string version) => RoundsAsync(mode: 2, version);

    [Theory]
    [InlineData("v5")]
    [InlineData("v311")]
    public Task In_mode_1_ends_of_mosquitto_and_of_the_node_lose_nothing_keep_the_order_and_bring_no_echo(string version) => RoundsAsync(mode: 1, version);

    private static async Task RoundsAsync(int mode, string version)
    {
        Assert.SkipWhen(MosquittoBroker.Missing is not null, MosquittoBroker.Missing ?? "");
        using var folder = new TempFolder();
        var news = new News(folder.PathOf("news"));
        await using var mosquitto = await MosquittoBroker.StartAsync();
        LoadedDevice[] far = [.. Enumerable.Range(0, FarDevices).Select(i => new LoadedDevice($"far-{i}", mosquitto.Port))];
        await using var node = NewNode(mode, version, mosquitto, news);
        LoadedDevice[] near = mode == 1 ? [new LoadedDevice("near", node.MqttPort)] : [];
        var fleet = new LoadedFleet([.. far, .. near]);
        await Task.WhenAll(far.Select(device => device.RegisterAsync()));
        await node.StartAsync();
        await mosquitto.LogAsync($"Sending SUBACK to {Client}");

        for (var round = 0; round < Rounds.Count; round++)
        {
            var end = (End)(round % Enum.GetValues<End>().Length);
            fleet.Begin();
            await fleet.ConfirmedAsync(Random.Shared.Next(10, 100));
            await EndAsync(end, mosquitto, node, news, far);
            await fleet.ConfirmedAsync(3 * fleet.Devices.Count);
            await fleet.FinishAsync(_ => 0);
            await CheckTwinsAsync(mosquitto, fleet, $"after round {round}, {end}");
        }

        await news.EndAsync();
        fleet.Begin();
        await fleet.FinishAsync(device => news.Of(device.Topic)[^1]);
        Assert.Equal(0, await node.StopAsync());
        CheckLedger(fleet, news, OutboxFile.Uploads(node.Data));
    }

    private static NodeProcess NewNode(int mode, string version, MosquittoBroker mosquitto, News news) => new(new NodeSetup
    {
        Arguments =
        [
            "--node.name=fault",
            string.Create(CultureInfo.InvariantCulture, $"--modules.eventBus.mqttMode={mode}"),
            $"--modules.eventBus.mqttServerExternal={mosquitto.Address}",
            $"--modules.eventBus.mqttExternalVersion={version}",
            "--modules.eventBus.mqttQOS=1",
            "--modules.eventBus.requestTimeout=1m",

            // There is a cloud, and it is never reached: uploads stay in the outbox.
            "--modules.edgeHub.websocket.server=127.0.0.1:10000",
            "--modules.edgeHub.enable=false",
            "--modules.deviceTwin.unknownDevices=register",
            News.Setting,
        ],
        Environment = news.Environment(Enumerable.Range(0, FarDevices).Select(i => $"shop/user/far-{i}").Append("shop/user/near")),
    });

    private static async Task EndAsync(End end, MosquittoBroker mosquitto, NodeProcess node, News news, LoadedDevice[] far)
    {
        switch (end)
        {
            case End.BrokerInOrder:
                await mosquitto.EndAsync();
                await news.MoreAsync();
                await mosquitto.StartAgainAsync();
                break;
            case End.BrokerKilled:
                await KillAsync();
                await news.MoreAsync();
                await mosquitto.StartAgainAsync();
                break;
            case End.NodeKilled:
                await node.KillAsync();
                await node.StartAsync();
                break;
            case End.NodeInOrder:
                Assert.Equal(0, await node.StopAsync());
                await node.StartAsync();
                break;
            case End.BrokerInOrderAndNodeKilled:
                await Task.WhenAll(mosquitto.EndAsync(), node.KillAsync());
                await Task.WhenAll(mosquitto.StartAgainAsync(), node.StartAsync());
                break;
            default:
                await Task.WhenAll(KillAsync(), node.KillAsync());
                await Task.WhenAll(mosquitto.StartAgainAsync(), node.StartAsync());
                break;
        }

        async Task KillAsync()
        {
            await mosquitto.EndAsync("KILL");
            foreach (var device in far)
            {
                device.BrokerIsKilled(news.Bound);
            }
        }
    }

    // At rest: what was answered last is there, and nothing older or newer.
    private static async Task CheckTwinsAsync(MosquittoBroker mosquitto, LoadedFleet fleet, string when)
    {
        await using var visitor = await MqttProbe.ConnectAsync(mosquitto.Port);
        foreach (var device in fleet.Devices)
        {
            var twin = await visitor.GetAsync(device.Id);
            Assert.True($"{device.Confirmed}" == twin.Actual("n"), $"{when}: {device.Confirmed} was answered last, and there is {twin}");
        }
    }

    private static void CheckLedger(LoadedFleet fleet, News news, IReadOnlyList<(string Topic, string Text)> outbox)
    {
        var echoes = outbox.Where(static upload => !upload.Text.StartsWith('u')).Select(static upload => $"{upload}").ToList();
        Assert.True(echoes.Count == 0, $"{echoes.Count} of the node's own came back as uploads: {string.Join(' ', echoes.Take(20))}");
        Assert.Empty(outbox.Select(static upload => upload.Topic).Except(fleet.Devices.Select(static device => device.Topic)));
        foreach (var device in fleet.Devices)
        {
            var uploads = InOrder(outbox.Where(upload => upload.Topic == device.Topic).Select(static upload => int.Parse(upload.Text.AsSpan(1), CultureInfo.InvariantCulture)), $"{device.Name}, uploads");
            Complete(device.Promised, uploads, $"{device.Name}, uploads");
            InOrder(device.Results, $"{device.Name}, results");
            var heard = InOrder(device.News, $"{device.Name}, news");
            Complete(news.Of(device.Topic).Where(number => number >= heard[0] && !device.MayMiss(number)), heard, $"{device.Name}, news");
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{device.Name}: {device.Confirmed} updates, {device.LastUpload} uploads ({uploads.Count} of them there, {device.Forgiven} without mosquitto's word), {heard.Count} news");
        }
    }

    // Something may come again, but nothing new comes after something newer.
    private static List<int> InOrder(IEnumerable<int> numbers, string what)
    {
        var first = numbers.Distinct().ToList();
        var late = first.Zip(first.Skip(1)).Where(static pair => pair.First > pair.Second).Select(static pair => $"{pair.Second} after {pair.First}").ToList();
        Assert.True(late.Count == 0, $"{what}: {string.Join(' ', late.Take(20))}");
        return first;
    }

    private static void Complete(IEnumerable<int> promised, IEnumerable<int> there, string what)
    {
        var lost = promised.Except(there).ToList();
        Assert.True(lost.Count == 0, $"{what}: {lost.Count} were promised and are lost: {string.Join(' ', lost.Take(20))}");
    }
}
