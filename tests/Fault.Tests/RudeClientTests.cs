using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace EdgeOrleans.Fault;

/// <summary>Clients that misbehave are bounded, counted by reason, and disturb no other.</summary>
public sealed class RudeClientTests
{
    [Fact]
    public async Task Two_thousand_clients_that_come_at_once_and_vanish_leave_nothing_behind()
    {
        await using var node = await new NodeProcess().StartAsync();
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);
        for (var wave = 0; wave < 2; wave++)
        {
            var clients = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(i => ArriveAsync(node.MqttPort, $"crowd-{i}", says: i % 2 == 0)));
            Assert.Equal(0, (await device.ReportAsync("default/pump-1", ("wave", $"{wave}"))).Code);
            foreach (var client in clients)
            {
                client?.Dispose();
            }
        }

        Assert.Equal(0, (await device.ReportAsync("default/pump-1", ("wave", "last"))).Code);
        Assert.False(node.HasExited);
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_ended_and_counted()
    {
        await using var node = await new NodeProcess("--modules.eventBus.connectTimeout=1s").StartAsync();
        using var silent = await MqttSocket.OpenAsync(node.MqttPort);

        await silent.EndAsync();

        await CountedAsync(node, "mqtt.no-connect");
    }

    [Fact]
    public async Task One_address_cannot_take_all_connections()
    {
        await using var node = await new NodeProcess("--modules.eventBus.maxConnectionsPerAddress=3").StartAsync();
        var clients = new List<MqttSocket>();
        for (var i = 0; i < 3; i++)
        {
            clients.Add(await MqttSocket.ConnectAsync(node.MqttPort, $"one-{i}"));
        }

        using (var refused = await MqttSocket.OpenAsync(node.MqttPort))
        {
            await refused.EndAsync();
        }

        await CountedAsync(node, "mqtt.too-many-of-an-address");
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task A_packet_of_256_MB_that_is_announced_costs_nothing_and_ends_the_connection()
    {
        await using var node = await new NodeProcess().StartAsync();
        for (var i = 0; i < 50; i++)
        {
            using var liar = await MqttSocket.ConnectAsync(node.MqttPort, $"liar-{i}");
            await liar.SendAsync(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F });
            await liar.EndAsync();
        }

        await CountedAsync(node, "mqtt.packet-too-large");
        Assert.True(Resident(node) < 400_000, $"{Resident(node)} kB");
    }

    [Fact]
    public async Task Clients_that_never_read_lose_the_oldest_and_hold_up_no_other()
    {
        await using var node = await new NodeProcess().StartAsync();
        var stuck = new List<MqttSocket>();
        for (var i = 0; i < 100; i++)
        {
            stuck.Add(await MqttSocket.ConnectAsync(node.MqttPort, $"stuck-{i}", qos: i % 3, topics: ["flood/#"]));
        }

        await using var good = await MqttProbe.ConnectAsync(node.MqttPort, "flood/#");
        await FloodAsync(good, 3_000, 1_000);
        Assert.Equal(3_000, good.Heard.Count);
        await CountedAsync(node, "mqtt.queue-full");
        stuck.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task What_clients_that_never_read_took_of_the_memory_is_given_back()
    {
        const long Mebi = 1_024;
        const int Count = 1_000;

        // More than the system's own buffers of a connection hold.
        const int Size = 20_000;
        await using var node = await new NodeProcess().StartAsync();
        await using (var first = await MqttProbe.ConnectAsync(node.MqttPort, "flood/#"))
        {
            await FloodAsync(first, Count, Size);
        }

        var before = Resident(node);
        var stuck = new List<MqttSocket>();
        for (var i = 0; i < 100; i++)
        {
            stuck.Add(await MqttSocket.ConnectAsync(node.MqttPort, $"stuck-{i}", topics: ["flood/#"]));
        }

        await using (var second = await MqttProbe.ConnectAsync(node.MqttPort, "flood/#"))
        {
            await FloodAsync(second, Count, Size);
        }

        Assert.True(Resident(node) > before + (60 * Mebi), $"{Resident(node)} kB after {before} kB");
        stuck.ForEach(client => client.Dispose());
        using var patience = new CancellationTokenSource(Patience.Default);
        while (Resident(node) is var resident && resident > before + (30 * Mebi))
        {
            Assert.False(patience.IsCancellationRequested, $"{resident} kB after {before} kB");
            await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }
    }

    [Fact]
    public async Task Clients_that_take_each_others_identifier_over_and_over_end_with_one_of_them()
    {
        await using var node = await new NodeProcess().StartAsync();
        var clients = new List<MqttSocket?>();
        for (var round = 0; round < 10; round++)
        {
            clients.AddRange(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ArriveAsync(node.MqttPort, "the-same", says: true))));
        }

        // All have had their turn: nobody comes after the last.
        await Task.WhenAll(clients.OfType<MqttSocket>().Select(LetInAsync));
        using var last = await MqttSocket.ConnectAsync(node.MqttPort, "the-same", topics: "still/here");
        await using var other = await MqttProbe.ConnectAsync(node.MqttPort);
        await other.PublishAsync("still/here", "x");
        Assert.Equal("still/here", Encoding.UTF8.GetString((await last.ReadAsync(MqttPacket.Publish)).Topic));
        clients.ForEach(client => client?.Dispose());
    }

    private static async Task LetInAsync(MqttSocket client)
    {
        try
        {
            await client.ReadAsync(MqttPacket.ConnAck);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Another has taken its place.
        }
    }

    private static async Task FloodAsync(MqttProbe client, int count, int size)
    {
        var payload = new string('x', size);
        for (var i = 0; i < count; i++)
        {
            await client.PublishAsync("flood/a", $"{i} {payload}");
        }

        await client.Heard.FirstAsync(heard => heard.Payload.StartsWith($"{count - 1} ", StringComparison.Ordinal), "the last message");
    }

    private static long Resident(NodeProcess node)
    {
        var line = File.ReadLines($"/proc/{node.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }

    private static async Task<MqttSocket?> ArriveAsync(int port, string client, bool says)
    {
        try
        {
            var mqtt = await MqttSocket.OpenAsync(port);
            if (says)
            {
                await mqtt.SendAsync(MqttPacket.Connect(client));
            }

            return mqtt;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static async Task CountedAsync(NodeProcess node, string reason)
    {
        using var patience = new CancellationTokenSource(Patience.Default);
        while (!(await node.Console.OutputAsync("get", "refusals")).Contains(reason, StringComparison.Ordinal))
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }
}
