using EdgeOrleans.Link.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

internal sealed partial class Delivery
{
    private bool HasRoom => _underWay.Count < pace.Window;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Answers the question for all devices: it is confirmed, and then everything is said anew.</summary>
    private async Task SendListAsync(CancellationToken cancellation)
    {
        var question = Interlocked.Exchange(ref _question, null)!;
        try
        {
            await send(DeliveryMessages.Confirm(question, Now), cancellation);
            await ReadAnewAsync();
            var (entries, wholes) = await AllDevicesAsync();

            // The list says it; what is expected is in it, and is confirmed by what the edge shows.
            var told = _items.Values.Where(i => !i.Key.IsDocument).ToList();
            _list = new DeliveryMessage(DeliveryMessages.List(entries, Now), told, time.GetUtcNow() + pace.ListAnswer) { Question = question };
            Take(_list);
            wholes.ForEach(_wholes.Enqueue);
            await SendAsync(_list, cancellation);
            (_begin, _nextList) = (default, time.GetUtcNow() + pace.BetweenLists);
            LogListed(_node, entries.Count);
        }
        catch (EnvelopeException e)
        {
            // More devices than a frame can name: each is added by its marker, none is removed by its absence.
            await ReadAnewAsync();
            _begin = default;
            LogTooMany(e, _node);
        }
        catch
        {
            Interlocked.CompareExchange(ref _question, question, null);
            throw;
        }
    }

    private async Task ReadAnewAsync()
    {
        _items.Clear();
        Awaited(static awaited => awaited.Clear());
        _answers.Clear();
        _underWay.Clear();
        _wholes.Clear();
        (_read, _nudged, _list) = (0, true, null);
        await ReadAsync();
    }

    private async Task<(List<byte[]> Entries, List<string> Wholes)> AllDevicesAsync()
    {
        var (entries, ids, bytes) = (new List<byte[]>(), new List<string>(), 0L);
        var form = _isOurs ? MemberForm.Whole : MemberForm.WholeAndProbe;
        for (var after = ""; await index.DevicesOfAsync(_node, after, Page) is { Count: > 0 } page; after = page[^1])
        {
            foreach (var some in page.Chunk(AtOnce))
            {
                var members = await Task.WhenAll(some.Select(id => MemberAsync(id, form)));
                for (var i = 0; i < some.Length; i++)
                {
                    // One that cannot be read now is named all the same: the edge would remove it otherwise.
                    var entry = members[i] is { Failed: true } ? DeliveryMessages.Bare(some[i]) : members[i].Push?.Entry;
                    if (entry is not null)
                    {
                        ids.Add(some[i]);
                        bytes += entry.Length;
                        entries.Add(bytes <= pace.BytesInList ? entry : []);
                    }
                }
            }
        }

        return bytes <= pace.BytesInList ? (entries, []) : (ids.ConvertAll(DeliveryMessages.Bare), ids);
    }

    /// <summary>The twins for which the list had no room.</summary>
    private async Task SendWholesAsync(CancellationToken cancellation)
    {
        while (_wholes.Count > 0 && HasRoom)
        {
            var (ids, added, bytes) = (new List<string>(), new List<byte[]>(), 0);
            while (_wholes.TryPeek(out var id) && ids.Count < pace.DevicesInMessage && (ids.Count == 0 || bytes < pace.BytesInMessage))
            {
                var (member, _) = await MemberAsync(id, _isOurs ? MemberForm.Whole : MemberForm.WholeAndProbe);
                _wholes.Dequeue();
                if (member is not null)
                {
                    ids.Add(id);
                    added.Add(member.Entry);
                    bytes += member.Entry.Length;
                }
            }

            if (added.Count > 0)
            {
                await SendAsync(new DeliveryMessage(DeliveryMessages.Membership(added, [], Now), [], time.GetUtcNow() + pace.Answer) { Wholes = ids }, cancellation);
            }
        }
    }

    private async Task SendMembersAsync(CancellationToken cancellation)
    {
        while (HasRoom)
        {
            var now = time.GetUtcNow();
            var ready = _items.Values.Where(i => !i.Key.IsDocument && i.IsReady(now)).Take(pace.DevicesInMessage).ToList();
            if (ready.Count == 0)
            {
                return;
            }

            var (told, added, removed) = await AskAsync(ready);
            if (told.Count > 0)
            {
                var message = new DeliveryMessage(DeliveryMessages.Membership(added, removed, Now), told, time.GetUtcNow() + pace.Answer);
                Take(message);
                await SendAsync(message, cancellation);
            }
        }
    }

    /// <summary>What is to be said of these devices; those that are not told now stay as they are, and those of which nothing is to be told are dropped.</summary>
    private async Task<(List<DeliveryItem> Told, List<byte[]> Added, List<string> Removed)> AskAsync(List<DeliveryItem> ready)
    {
        var (told, added, removed, bytes) = (new List<DeliveryItem>(), new List<byte[]>(), new List<string>(), 0);
        foreach (var some in ready.Chunk(AtOnce))
        {
            var pushes = await Task.WhenAll(some.Select(item => MemberAsync(item.Key.Key, FormOf(item))));
            for (var i = 0; i < some.Length && (told.Count == 0 || bytes < pace.BytesInMessage); i++)
            {
                bytes += pushes[i].Failed ? Later(some[i]) : Say(some[i], pushes[i].Push, told, added, removed);
            }
        }

        return (told, added, removed);
    }

    private int Later(DeliveryItem item)
    {
        item.NotBefore = time.GetUtcNow() + pace.Answer;
        return 0;
    }

    /// <summary>A device that fails holds up no other.</summary>
    private async Task<(MemberPush? Push, bool Failed)> MemberAsync(string id, MemberForm form)
    {
        try
        {
            return (await Device(id).MemberAsync(_node, form), false);
        }
        catch (Exception e)
        {
            LogUnreadable(e, id, _node);
            return (null, true);
        }
    }

    private static MemberForm FormOf(DeliveryItem item) => !item.IsDirty && item.AsksNext ? MemberForm.ProbeExpected : MemberForm.Pending;

    private int Say(DeliveryItem item, MemberPush? push, List<DeliveryItem> told, List<byte[]> added, List<string> removed)
    {
        if (push is null)
        {
            item.IsDesired = false;
            removed.Add(item.Key.Key);
            told.Add(item);
            return 64;
        }

        var isQuestion = FormOf(item) == MemberForm.ProbeExpected;
        item.IsDesired &= push.Pending;
        if (!item.IsDesired && item.Numbers.Count == 0)
        {
            Drop(item);
            return 0;
        }

        if (!isQuestion)
        {
            item.Said = push.Entry;
        }

        item.AsksNext = !isQuestion;
        added.Add(push.Entry);
        told.Add(item);
        return push.Entry.Length;
    }

    /// <summary>An object goes when the node knows its device, and a device's when the node has the models.</summary>
    private async Task SendDocumentsAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var ready = _items.Values.Where(i => i.Key.IsDocument && i.IsReady(now)).ToList();
        var models = _items.Values.Any(i => i.Key is { IsDocument: true } && IsModel(i) && i.NotBefore <= now);
        foreach (var item in ready.OrderBy(i => IsModel(i) ? 0 : 1))
        {
            if (!HasRoom)
            {
                return;
            }

            if (IsModel(item) || (!models && !IsJoining(item)))
            {
                await SendDocumentAsync(item, cancellation);
            }
        }
    }

    private static bool IsModel(DeliveryItem item) => item.Key.Key.StartsWith("devicemodel/", StringComparison.Ordinal);

    private bool IsJoining(DeliveryItem item) =>
        _items.GetValueOrDefault(new DeliveryKey(false, item.Key.Key["device/".Length..])) is { } member && (member.Numbers.Count > 0 || member.UnderWay is not null);

    private async Task SendDocumentAsync(DeliveryItem item, CancellationToken cancellation)
    {
        var key = item.Key.Key;
        var (_, ns, name) = DeliveryMessages.Cut(key);
        ObjectPush? push;
        try
        {
            push = IsModel(item) ? await grains.GetGrain<IModelOfNode>($"{ns}/{name}").ObjectAsync(_node) : await Device($"{ns}/{name}").ObjectAsync(_node);
        }
        catch (Exception e)
        {
            LogUnreadable(e, key, _node);
            Later(item);
            return;
        }

        var message = new DeliveryMessage(push is null ? DeliveryMessages.NoObject(key, Now) : DeliveryMessages.Object(key, push, Now), [item], time.GetUtcNow() + pace.Answer)
        {
            Version = push?.Version,
        };
        Take(message);
        await SendAsync(message, cancellation);
    }

    /// <summary>From here on the items' markers are the message's, and what comes new makes the item dirty again.</summary>
    private static void Take(DeliveryMessage message)
    {
        foreach (var item in message.Items)
        {
            (item.Going, item.Numbers) = (item.Numbers, []);
            (item.IsDirty, item.UnderWay, item.Due) = (false, message, null);
        }
    }

    private async Task SendAsync(DeliveryMessage message, CancellationToken cancellation)
    {
        _underWay.Add(message);
        Await(message, message.Message.Header.Id);
        await send(message.Message, cancellation);
        if (!_isOurs && message.Items is not [{ Key.IsDocument: true }])
        {
            var ping = DeliveryMessages.Ping(Now);
            Await(message, ping.Header.Id);
            await send(ping, cancellation);
        }
    }

    private void Await(DeliveryMessage message, string id)
    {
        message.Ids.Add(id);
        _answers[id] = message;
    }

    [LoggerMessage(LogLevel.Warning, "{Resource} cannot be told to node {Node} now; it is tried again")]
    private partial void LogUnreadable(Exception exception, string resource, string node);

    [LoggerMessage(LogLevel.Debug, "Told node {Node} its {Count} devices")]
    private partial void LogListed(string node, int count);

    [LoggerMessage(LogLevel.Error, "Node {Node} has more devices than one message can name; it is told of each, but not of those that are gone")]
    private partial void LogTooMany(Exception exception, string node);
}
