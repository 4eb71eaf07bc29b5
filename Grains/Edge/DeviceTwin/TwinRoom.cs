using System.Collections.Concurrent;
using EdgeOrleans.Beehive;
using EdgeOrleans.Edge.EdgeHub;
using EdgeOrleans.Link;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What all twins of a node share: settings, clock, writers, the way to the bus and the way up.</summary>
internal sealed partial class TwinRoom(
    IOptionsMonitor<DeviceTwinOptions> options,
    IOptions<EdgeHubOptions> hub,
    IOptions<NodeOptions> node,
    IMessageContext beehive,
    Outbox outbox,
    DeviceStore devices,
    Refusals refusals,
    TimeProvider time,
    ILogger<TwinRoom> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenNudges = TimeSpan.FromMilliseconds(10);
    private const int NoNudge = 0;
    private const int Nudging = 1;
    private const int NudgeAgain = 2;
    private readonly ConcurrentBag<TwinWriter> _writers = [];
    private int _nudging;

    public DeviceTwinOptions Options => options.CurrentValue;

    public string Node => node.Value.Name;

    public string? Cloud => hub.Value.HasCloud ? hub.Value.WebSocket.Server : null;

    public DeviceStore Devices => devices;

    public Outbox Outbox => outbox;

    /// <summary>Whether what happens is kept for a cloud.</summary>
    public bool GoesUp => hub.Value.HasCloud && outbox.Enabled;

    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether reports make devices that nobody registered.</summary>
    public bool Registers => (Options.UnknownDevices ?? (hub.Value.HasCloud ? UnknownDevices.Refuse : UnknownDevices.Register)) == UnknownDevices.Register;

    public TwinWriter TakeWriter() => _writers.TryTake(out var writer) ? writer : new TwinWriter();

    public void GiveBack(TwinWriter writer)
    {
        writer.Clear();
        _writers.Add(writer);
    }

    public void Count(string refusal) => refusals.Count(refusal);

    public ValueTask<bool> AnswerAsync(Message answer) => beehive.SendRespAsync(answer);

    public static Message[] Parts(IReadOnlyList<Publication> publications, long now)
    {
        var parts = new Message[publications.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = Message.Create("twin", Groups.Bus, Operations.Publish, publications[i].Resource, publications[i].Content, now);
        }

        return parts;
    }

    /// <summary>Publishes what nobody on the bus asked for, and returns when the bus has it: what is answered later stays behind it.</summary>
    public async Task PublishAsync(string about, IReadOnlyList<Publication> publications)
    {
        if (publications.Count == 0)
        {
            return;
        }

        var now = Now;
        var message = Message.Create("twin", Groups.Bus, Operations.Publish, about, default, now) with { Parts = [.. Parts(publications, now)] };
        try
        {
            await beehive.SendSyncAsync(Address.Module(ModuleNames.EventBus), message, Patience);
        }
        catch (ModuleUnavailableException)
        {
            // A node without a bus has nobody to tell.
        }
        catch (Exception e) when (e is BeehiveTimeoutException or BeehiveFullException)
        {
            LogUnheard(e, about, publications.Count);
        }
    }

    /// <summary>Tells the hub that something waits. Many tellings within a moment are one.</summary>
    public void NudgeHub()
    {
        if (Interlocked.Exchange(ref _nudging, NudgeAgain) == NoNudge)
        {
            _ = NudgeAsync();
        }
    }

    private async Task NudgeAsync()
    {
        do
        {
            Volatile.Write(ref _nudging, Nudging);
            await NudgeOnceAsync();
            await Task.Delay(BetweenNudges, time);
        }
        while (Interlocked.CompareExchange(ref _nudging, NoNudge, Nudging) != Nudging);
    }

    private async Task NudgeOnceAsync()
    {
        try
        {
            await beehive.SendToGroupAsync(Groups.Hub, Message.Create("twin", Groups.Hub, Operations.Update, "outbox", default, Now));
        }
        catch (BeehiveFullException)
        {
            // It has plenty of nudges waiting.
        }
        catch (Exception e)
        {
            LogNotNudged(e);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The bus did not take {Count} publications of {Device}; the twin goes on")]
    private partial void LogUnheard(Exception exception, string device, int count);

    [LoggerMessage(LogLevel.Warning, "The hub could not be told that something waits; the next report tells it again")]
    private partial void LogNotNudged(Exception exception);
}
