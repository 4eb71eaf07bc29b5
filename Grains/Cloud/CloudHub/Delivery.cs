using System.Threading.Channels;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link;
using EdgeOrleans.Link.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>
/// Brings one node what waits for it: one loop a link, which reads markers from the outbox, asks the grains what they mean now, and says it until the node has it.
/// </summary>
/// <remarks>
/// <para>What is in mind here can be lost at any time: the markers stay in the outbox until they are answered, and the next link reads them again.</para>
/// <para>
/// A node of ours answers a membership; a stock edge does not, so a ping goes behind it: what was received before the ping is counted as unconfirmed, not as
/// delivered. Expected values are confirmed by what the edge shows, in either case; an edge that shows nothing is asked (reference 5.7).
/// </para>
/// </remarks>
internal sealed partial class Delivery(
    NodeConnection connection,
    Func<Message, CancellationToken, ValueTask> send,
    IGrainFactory grains,
    Outbox outbox,
    INodeIndex index,
    DeliveryPace pace,
    TimeProvider time,
    ILogger<Delivery> logger) : ILinkDelivery
{
    private const int Page = 256;
    private const int AtOnce = 16;
    private const int MostResent = 5;

    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenMessagesOfADevice = TimeSpan.FromMilliseconds(100);

    private readonly Channel<Heard> _heard = Channel.CreateBounded<Heard>(new BoundedChannelOptions(1_024) { SingleReader = true });
    private readonly HashSet<string> _awaited = new(StringComparer.Ordinal);
    private readonly Dictionary<DeliveryKey, DeliveryItem> _items = [];
    private readonly Dictionary<string, DeliveryMessage> _answers = new(StringComparer.Ordinal);
    private readonly HashSet<DeliveryMessage> _underWay = [];
    private readonly Queue<string> _wholes = new();
    private readonly List<long> _delivered = [];
    private readonly List<long> _unconfirmed = [];
    private readonly string _node = connection.Node;
    private readonly bool _isOurs = connection.IsOurs;

    private volatile Message? _question;
    private volatile bool _nudged = true;
    private DateTimeOffset _begin;
    private DateTimeOffset _nextList;
    private DeliveryMessage? _list;
    private long _read;

    private enum What
    {
        Nudge,
        Response,
        Error,
        Report,
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        _begin = time.GetUtcNow() + pace.Question;
        while (!cancellation.IsCancellationRequested)
        {
            DateTimeOffset? next;
            try
            {
                next = await StepAsync(cancellation);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && e is not LinkEndedException)
            {
                LogFailed(e, _node);
                next = time.GetUtcNow() + AfterFault;
                await Task.Delay(AfterFault, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e) when (e is OperationCanceledException or LinkEndedException)
            {
                return;
            }

            await WaitAsync(next, cancellation);
        }
    }

    public void Nudge()
    {
        if (!_nudged)
        {
            _nudged = true;
            _heard.Writer.TryWrite(new Heard(What.Nudge, ""));
        }
    }

    // Of several questions the newest is answered.
    public void Asked(Message question)
    {
        _question = question;
        _heard.Writer.TryWrite(new Heard(What.Nudge, ""));
    }

    // What finds no room is as good as lost on the way: the message goes again, and that is harmless.
    public void Acknowledged(string parentId) => _heard.Writer.TryWrite(new Heard(What.Response, parentId));

    public void NotAcknowledged(string parentId, string reason) => _heard.Writer.TryWrite(new Heard(What.Error, parentId, reason));

    public void Reported(string device)
    {
        var isAwaited = false;
        Awaited(awaited => isAwaited = awaited.Contains(device));
        if (isAwaited)
        {
            _heard.Writer.TryWrite(new Heard(What.Report, device));
        }
    }

    /// <summary>Does what is to be done now.</summary>
    /// <returns>When there is something to do again, if nothing is heard before; null for never.</returns>
    private async Task<DateTimeOffset?> StepAsync(CancellationToken cancellation)
    {
        while (_heard.Reader.TryRead(out var heard))
        {
            await TakeAsync(heard);
        }

        await EndMarkersAsync();
        var now = time.GetUtcNow();
        if (_question is not null && now >= _nextList)
        {
            await SendListAsync(cancellation);
        }
        else if (_begin > now)
        {
            return _begin;
        }

        await AgainAsync(cancellation);
        if (_list is null)
        {
            await CheckAsync();
            await ReadAsync();
            await SendWholesAsync(cancellation);
            await SendMembersAsync(cancellation);
            await SendDocumentsAsync(cancellation);
        }

        return Next();
    }

    private async Task WaitAsync(DateTimeOffset? next, CancellationToken cancellation)
    {
        try
        {
            var heard = _heard.Reader.WaitToReadAsync(cancellation).AsTask();
            if (next is not { } at)
            {
                await heard;
                return;
            }

            var wait = at - time.GetUtcNow();
            if (wait > TimeSpan.Zero)
            {
                using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                await Task.WhenAny(heard, Task.Delay(wait, time, enough.Token));
                await enough.CancelAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The link has ended.
        }
    }

    private DateTimeOffset? Next()
    {
        DateTimeOffset? next = _question is not null ? _nextList : null;
        foreach (var message in _underWay)
        {
            next = Earlier(next, message.Deadline);
        }

        // With a full window, or behind a list, the next answer or its deadline comes first.
        if (_list is null && _underWay.Count < pace.Window)
        {
            foreach (var item in _items.Values)
            {
                next = Earlier(next, item.Next);
            }
        }

        return next;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b ?? a : a;

    private async Task TakeAsync(Heard heard)
    {
        switch (heard.What)
        {
            case What.Response when _answers.TryGetValue(heard.Id, out var message):
                await AnsweredAsync(message);
                break;
            case What.Error when _answers.TryGetValue(heard.Id, out var message):
                await RefusedAsync(message, heard.Reason);
                break;
            case What.Report when _items.GetValueOrDefault(new DeliveryKey(false, heard.Id)) is { } item:
                item.IsToBeChecked = true;
                break;
        }
    }

    private async Task AnsweredAsync(DeliveryMessage message)
    {
        Forget(message);
        foreach (var item in message.Items)
        {
            (item.Key.IsDocument || _isOurs ? _delivered : _unconfirmed).AddRange(item.Going);
            (item.UnderWay, item.Going) = (null, []);
            if (item.Key.IsDocument)
            {
                await TakenAsync(item, message);
            }
            else
            {
                Told(item);
            }
        }
    }

    private async Task TakenAsync(DeliveryItem item, DeliveryMessage message)
    {
        item.Tries = 0;
        if (message.Version is { } version && DeliveryMessages.Cut(item.Key.Key) is ("device", var ns, var name))
        {
            await Device($"{ns}/{name}").ObjectTakenAsync(_node, version);
        }

        DropIfDone(item);
    }

    // A stock edge handles what it has received in any order: what concerns the same device keeps its distance.
    private void Told(DeliveryItem item)
    {
        var now = time.GetUtcNow();
        item.NotBefore = _isOurs ? now : now + BetweenMessagesOfADevice;
        item.Due = item.IsDesired ? now + pace.Pause(pace.Probe, item.Tries++) : null;
        DropIfDone(item);
    }

    private void DropIfDone(DeliveryItem item)
    {
        if (!item.IsDirty && !item.IsDesired && item.Numbers.Count == 0)
        {
            Drop(item);
        }
    }

    private void Drop(DeliveryItem item)
    {
        _items.Remove(item.Key);
        if (!item.Key.IsDocument)
        {
            Awaited(awaited => awaited.Remove(item.Key.Key));
        }
    }

    /// <summary>The node could not take it: again, with a growing pause; an object that it does not take at all is refused.</summary>
    private async Task RefusedAsync(DeliveryMessage message, string reason)
    {
        Forget(message);
        PutBack(message);
        foreach (var item in message.Items)
        {
            item.Tries++;
            item.NotBefore = time.GetUtcNow() + pace.Pause(pace.Answer, item.Tries);
            if (item.Key.IsDocument && item.Tries >= pace.Tries)
            {
                LogRefused(_node, item.Key.Key, item.Tries, reason);
                await outbox.RefusedAsync(item.Numbers, "refused-by-node");
                (item.IsDirty, item.Numbers) = (false, []);
                DropIfDone(item);
            }
        }

        LogNotTaken(_node, message.Message.Route.Resource, reason);
    }

    /// <summary>What had no answer in time goes again: an object as the same message, everything else as it is then.</summary>
    private async Task AgainAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        foreach (var message in _underWay.Where(m => m.Deadline <= now).ToList())
        {
            if (message.Items is [{ Key.IsDocument: true } item])
            {
                if (message.Resent++ < MostResent)
                {
                    message.Deadline = now + pace.Answer;
                    await send(message.Message, cancellation);
                    continue;
                }

                item.NotBefore = now + pace.Longest;
            }

            Forget(message);
            PutBack(message);
        }
    }

    private void PutBack(DeliveryMessage message)
    {
        foreach (var item in message.Items)
        {
            item.Numbers.AddRange(item.Going);
            (item.UnderWay, item.IsDirty, item.Going) = (null, true, []);
        }

        if (message.Question is { } question)
        {
            Interlocked.CompareExchange(ref _question, question, null);
        }

        foreach (var device in message.Wholes)
        {
            _wholes.Enqueue(device);
        }
    }

    private void Forget(DeliveryMessage message)
    {
        _underWay.Remove(message);
        message.Ids.ForEach(id => _answers.Remove(id));
        _list = ReferenceEquals(_list, message) ? null : _list;
    }

    private async Task EndMarkersAsync()
    {
        if (_delivered.Count > 0)
        {
            await outbox.DeliveredAsync([.. _delivered]);
            _delivered.Clear();
        }

        if (_unconfirmed.Count > 0)
        {
            await outbox.UnconfirmedAsync([.. _unconfirmed]);
            _unconfirmed.Clear();
        }
    }

    /// <summary>Reads what waits behind what was read, as far as there is room in mind.</summary>
    private async Task ReadAsync()
    {
        while (_nudged && _items.Count < pace.InMind)
        {
            _nudged = false;
            var rows = await ReadPageAsync();
            _nudged |= rows == Page;
        }
    }

    private async Task<int> ReadPageAsync()
    {
        IReadOnlyList<OutboxRow> rows;
        try
        {
            rows = await outbox.ReadAsync(_read, Page, peer: _node);
        }
        catch
        {
            _nudged = true;
            throw;
        }

        foreach (var row in rows)
        {
            _read = row.Seq;
            Note(row);
        }

        return rows.Count;
    }

    private void Note(OutboxRow row)
    {
        var (type, key) = (row.Entry.Class, row.Entry.Key);
        if (key is null || type is not (OutboxClasses.Membership or OutboxClasses.Desired or OutboxClasses.Document))
        {
            return;
        }

        var item = Item(new DeliveryKey(type == OutboxClasses.Document, key));
        item.IsDirty = true;
        item.Tries = 0;
        if (type == OutboxClasses.Desired)
        {
            item.IsDesired = true;
            Awaited(awaited => awaited.Add(key));
        }
        else
        {
            item.Numbers.Add(row.Seq);
        }
    }

    private DeliveryItem Item(DeliveryKey key)
    {
        if (!_items.TryGetValue(key, out var item))
        {
            _items[key] = item = new DeliveryItem(key);
        }

        return item;
    }

    /// <summary>Of what was reported about, the expected values may be confirmed, or may have to be said on another version.</summary>
    private async Task CheckAsync()
    {
        var items = _items.Values.Where(i => i.IsToBeChecked).ToList();
        foreach (var some in items.Chunk(AtOnce))
        {
            var pushes = await Task.WhenAll(some.Select(item => MemberAsync(item.Key.Key, MemberForm.Pending)));
            for (var i = 0; i < some.Length; i++)
            {
                some[i].IsToBeChecked = false;
                Check(some[i], pushes[i].Push);
            }
        }
    }

    private void Check(DeliveryItem item, MemberPush? push)
    {
        if (push is { Pending: false })
        {
            Confirmed(item);
        }
        else if (push is not null && !(item.Said is { } said && push.Entry.AsSpan().SequenceEqual(said)))
        {
            item.IsDirty = true;
        }
    }

    private void Confirmed(DeliveryItem item)
    {
        (item.IsDesired, item.Due, item.Tries) = (false, null, 0);
        if (item.UnderWay is null && item.Numbers.Count == 0)
        {
            Drop(item);
        }
    }

    // Asked by the pump of what comes up, which has its own threads.
    private void Awaited(Action<HashSet<string>> work)
    {
        lock (_awaited)
        {
            work(_awaited);
        }
    }

    private IDeviceOfNode Device(string id) => grains.GetGrain<IDeviceOfNode>(id);

    private readonly record struct Heard(What What, string Id, string Reason = "");

    [LoggerMessage(LogLevel.Error, "What waits for node {Node} could not be sent; trying again")]
    private partial void LogFailed(Exception exception, string node);

    [LoggerMessage(LogLevel.Debug, "Node {Node} did not take {Resource}: {Reason}")]
    private partial void LogNotTaken(string node, string resource, string reason);

    [LoggerMessage(LogLevel.Warning, "Node {Node} refuses {Object} after {Tries} tries; it goes again when it is changed. The node says: {Reason}")]
    private partial void LogRefused(string node, string @object, int tries, string reason);
}
