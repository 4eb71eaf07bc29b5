using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Client.Watching;

/// <summary>Follows one device: renews the watch before the node forgets it, and comes back after the node does.</summary>
internal sealed class DeviceWatch(string id, ServerAddress server, TimeProvider time)
{
    // The node keeps a watch for one minute: two renewals may be lost.
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Goodbye = TimeSpan.FromMilliseconds(300);

    /// <summary>The device as it is, then every change.</summary>
    /// <exception cref="CommandException">At the beginning there is no such node or device.</exception>
    public async IAsyncEnumerable<WatchEvent> EventsAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        // Every event holds the whole device: a reader that is too slow misses steps between, never the newest.
        var events = Channel.CreateBounded<WatchEvent>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest });
        var following = FollowAsync(events.Writer, cancellation);

        // The end comes from the follower, when it has said goodbye to the node.
        await foreach (var next in events.Reader.ReadAllAsync(CancellationToken.None))
        {
            yield return next;
        }

        await following;
    }

    private async Task FollowAsync(ChannelWriter<WatchEvent> events, CancellationToken cancellation)
    {
        try
        {
            await SessionAsync(events, isFirst: true, cancellation);
            while (true)
            {
                events.TryWrite(new WatchEvent(null, $"lost the node at {server}; waiting for it to come back"));
                await ComeBackAsync(events, cancellation);
            }
        }
        catch (Exception e)
        {
            events.TryComplete(e);
        }
    }

    private async Task ComeBackAsync(ChannelWriter<WatchEvent> events, CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(Retry, time, cancellation);
            try
            {
                await SessionAsync(events, isFirst: false, cancellation);
                return;
            }
            catch (CommandException e) when (e.ExitCode == ExitCodes.Unreachable)
            {
                // Still away: said once, tried again.
            }
        }
    }

    private async Task SessionAsync(ChannelWriter<WatchEvent> events, bool isFirst, CancellationToken cancellation)
    {
        await using var node = await NodeConnection.OpenAsync(server, cancellation);
        var observer = new Observer(events);
        var address = node.Address(observer);
        var device = await WatchAsync(node, address, cancellation);
        if (device is null && isFirst)
        {
            throw DeviceQueries.NoSuchDevice(id);
        }

        if (!isFirst)
        {
            events.TryWrite(new WatchEvent(null, $"the node at {server} is back"));
        }

        events.TryWrite(new WatchEvent(device));
        await StayAsync(node, address, events, cancellation);
        GC.KeepAlive(observer);
    }

    /// <summary>Returns when the node is gone.</summary>
    private async Task StayAsync(NodeConnection node, IDeviceObserver address, ChannelWriter<WatchEvent> events, CancellationToken cancellation)
    {
        try
        {
            while (await Task.WhenAny(Task.Delay(Renewal, time, cancellation), node.Lost) != node.Lost)
            {
                cancellation.ThrowIfCancellationRequested();
                events.TryWrite(new WatchEvent(await WatchAsync(node, address, cancellation)));
            }
        }
        catch (Exception e) when (NodeConnection.IsGone(e))
        {
            // As good as a lost connection.
        }
        catch (OperationCanceledException)
        {
            await LeaveAsync(node, address);
            throw;
        }
    }

    private Task<DeviceView?> WatchAsync(NodeConnection node, IDeviceObserver address, CancellationToken cancellation) =>
        node.Device(id).WatchAsync(address).WaitAsync(cancellation);

    // Polite, not needed: the node forgets a watch that nobody renews.
    private async Task LeaveAsync(NodeConnection node, IDeviceObserver address)
    {
        try
        {
            await node.Device(id).UnwatchAsync(address).WaitAsync(Goodbye, time);
        }
        catch (Exception e) when (NodeConnection.IsGone(e))
        {
            // It forgets by itself.
        }
    }

    private sealed class Observer(ChannelWriter<WatchEvent> events) : IDeviceObserver
    {
        public Task ChangedAsync(DeviceView? device)
        {
            events.TryWrite(new WatchEvent(device));
            return Task.CompletedTask;
        }
    }
}
