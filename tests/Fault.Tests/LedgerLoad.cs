using System.Globalization;
using System.Text;

namespace EdgeOrleans.Fault;

/// <summary>What one device was sent, and what of it was acknowledged. Each update writes all properties with one value, the next number.</summary>
internal sealed class LedgerEntry(string device)
{
    public string Device { get; } = device;

    public long Sent { get; set; }

    public long Acknowledged { get; set; }
}

/// <summary>Devices that report without pause until their node is gone, and a ledger of what the node has promised.</summary>
internal sealed class LedgerLoad
{
    public const int Properties = 10;

    private const int DevicesOfAConnection = 8;
    private readonly LedgerEntry[][] _entries;
    private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _awaited = int.MaxValue;
    private int _acknowledged;

    public LedgerLoad(int connections) => _entries =
        [.. Enumerable.Range(0, connections).Select(c =>
            Enumerable.Range(0, DevicesOfAConnection).Select(d => new LedgerEntry($"default/ledger-{c}-{d}")).ToArray())];

    public IEnumerable<LedgerEntry> Entries => _entries.SelectMany(entries => entries);

    /// <summary>Lets all devices report until their connections end.</summary>
    public Task RunAsync(int port)
    {
        _acknowledged = 0;
        return Task.WhenAll(_entries.Select((entries, c) => RunAsync(port, $"ledger-{c}", entries)));
    }

    /// <summary>Ends when so many updates were acknowledged in this run.</summary>
    public Task AcknowledgedAsync(int updates)
    {
        Volatile.Write(ref _awaited, updates);
        return _enough.Task.WaitAsync(Patience.Default);
    }

    public LedgerLoad Next()
    {
        var next = new LedgerLoad(_entries.Length);
        _entries.CopyTo(next._entries, 0);
        return next;
    }

    /// <summary>Holds the ledger against what the node has.</summary>
    public async Task VerifyAsync(int port)
    {
        await using var probe = await MqttProbe.ConnectAsync(port);
        foreach (var entry in Entries.Where(entry => entry.Sent > 0))
        {
            Verify(entry, await probe.GetAsync(entry.Device));
        }
    }

    private static void Verify(LedgerEntry entry, Heard answer)
    {
        if (entry.Acknowledged == 0 && answer.Code == 404)
        {
            return;
        }

        var stored = Enumerable.Range(0, Properties).Select(p => answer.Actual($"p{p}")).Distinct().ToList();
        Assert.True(stored.Count == 1, $"half an update is stored: {answer}");
        var value = long.Parse(stored[0] ?? "0", CultureInfo.InvariantCulture);
        Assert.True(value >= entry.Acknowledged, $"{entry.Device}: {entry.Acknowledged} was acknowledged, {value} is stored");
        Assert.True(value <= entry.Sent, $"{entry.Device}: {value} is stored, and only {entry.Sent} was sent");
    }

    private async Task RunAsync(int port, string client, LedgerEntry[] entries)
    {
        using var mqtt = await MqttSocket.ConnectAsync(port, client, topics: [.. entries.Select(entry => $"{Topic(entry)}/result")]);
        try
        {
            foreach (var entry in entries)
            {
                await SendAsync(mqtt, entry);
            }

            while (await mqtt.ReadAsync() is { } packet)
            {
                await AnswerAsync(mqtt, entries, packet);
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The node is gone: that is the end of the load.
        }
    }

    private async Task AnswerAsync(MqttSocket mqtt, LedgerEntry[] entries, MqttPacket packet)
    {
        if (packet.Type != MqttPacket.Publish)
        {
            return;
        }

        var topic = Encoding.UTF8.GetString(packet.Topic);
        var entry = entries.Single(entry => topic == $"{Topic(entry)}/result");
        var answer = JsonNode.Parse(packet.Payload)!;
        Assert.Null(answer["code"]);
        entry.Acknowledged = long.Parse((string)answer["event_id"]!, CultureInfo.InvariantCulture);
        if (Interlocked.Increment(ref _acknowledged) >= Volatile.Read(ref _awaited))
        {
            _enough.TrySetResult();
        }

        await SendAsync(mqtt, entry);
    }

    private static ValueTask SendAsync(MqttSocket mqtt, LedgerEntry entry)
    {
        var value = $"{++entry.Sent}";
        return mqtt.SendAsync(MqttPacket.Message(
            Topic(entry), TwinJson.Report(value, [.. Enumerable.Range(0, Properties).Select(p => ($"p{p}", value))])));
    }

    private static string Topic(LedgerEntry entry) => $"$hw/events/device/{entry.Device}/twin/update";
}
