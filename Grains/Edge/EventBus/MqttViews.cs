using System.Net;
using System.Text;
using EdgeOrleans.Mqtt;
using MQTTnet.Formatter;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What the broker has, as a person sees it.</summary>
internal static class MqttViews
{
    // What a row costs besides its texts.
    private const int Row = 128;

    /// <summary>The most bytes of a page, about; one row more may be on it.</summary>
    private const int MostBytes = 1_024 * 1_024;

    public static MqttClientView Of(MqttConnection connection, Session session) => new()
    {
        ClientId = session.ClientId,
        Address = connection.RemoteEndPoint?.ToString() ?? "",
        Version = Name(connection.Version),
        Since = connection.Since,
        KeepAlive = connection.KeepAlive,
        IsClean = connection.IsClean,
        Traffic = connection.Traffic,
        Lost = session.Losses.Total,
        User = session.Identity?.User ?? "",
        IsTls = connection.IsTls,
    };

    /// <summary>The connection to a broker outside, whose client the node is.</summary>
    public static MqttClientView Of(OutsideConnection connection, Session session) => new()
    {
        ClientId = session.ClientId,
        Address = connection.RemoteEndPoint is DnsEndPoint { Host: var host, Port: var port } ? $"{host}:{port}" : $"{connection.RemoteEndPoint}",
        Version = Name(connection.Version),
        Since = connection.Since,
        KeepAlive = OutsideConnection.KeepAlive,
        Traffic = connection.Traffic,
        Lost = session.Losses.Total,
        User = connection.User,
        IsTls = connection.IsTls,
    };

    /// <summary>What has gone to and fro over a connection.</summary>
    public static MqttTraffic Of(MqttReceiver receiver, MqttSender sender) => new()
    {
        PacketsReceived = receiver.PacketsReceived,
        MessagesReceived = receiver.MessagesReceived,
        BytesReceived = receiver.BytesReceived,
        PacketsSent = sender.PacketsSent,
        MessagesSent = sender.MessagesSent,
        BytesSent = sender.BytesSent,
    };

    public static MqttSessionView Of(Session session, int subscriptions) => Of(session, session.Look(), subscriptions);

    public static MqttSessionDetail Detail(Session session, int subscriptions, long now)
    {
        var load = session.Look();
        return new MqttSessionDetail
        {
            Session = Of(session, load, subscriptions),
            Client = session.Connection switch
            {
                MqttConnection connection => Of(connection, session),
                OutsideConnection connection => Of(connection, session),
                _ => null,
            },
            OldestWaiting = load.Oldest is { } oldest ? TimeSpan.FromMilliseconds(Math.Max(0, now - oldest)) : null,
            RetainedWaiting = load.Retained,
            Unreleased = session.Incoming.Count,
            Will = session.Will is { } will ? Of(will) : null,
            Losses = session.Losses.View(),
        };
    }

    public static MqttSubscriptionView Of(Subscription subscription) => new()
    {
        Filter = subscription.Filter,
        Qos = subscription.Qos,
        NoLocal = subscription.Own is null,
        RetainAsPublished = subscription.RetainAsPublished,
        RetainHandling = subscription.RetainHandling,
        Identifier = subscription.Identifier,
    };

    public static MqttRetainedView Of(MqttMessage message) => new()
    {
        Topic = message.Topic,
        Qos = message.Qos,
        Bytes = message.Payload.Length,
        Published = Time(message.Created),
        Expires = message.Expires == long.MaxValue ? null : Time(message.Expires),
    };

    public static MqttRetainedDetail Detail(MqttMessage message)
    {
        var isCut = message.Payload.Length > MqttRetainedDetail.MaxPayload;
        return new MqttRetainedDetail
        {
            Message = Of(message),
            Payload = isCut ? message.Payload[..MqttRetainedDetail.MaxPayload] : message.Payload,
            IsCut = isCut,
        };
    }

    /// <summary>A page of what is there, in the order of the names.</summary>
    /// <param name="all">All of it, in no order.</param>
    /// <param name="query">Behind which name it begins, and how many are wanted.</param>
    /// <param name="name">The name of one.</param>
    /// <param name="view">What is shown of one.</param>
    public static MqttPage<TView> Page<T, TView>(IEnumerable<T> all, MqttQuery query, Func<T, string> name, Func<T, TView> view)
    {
        var (rows, bytes) = (new List<TView>(), 0);
        var wanted = all.Where(one => string.CompareOrdinal(name(one), query.After) > 0).OrderBy(name, StringComparer.Ordinal).Take(query.Count + 1);
        foreach (var one in wanted)
        {
            if (rows.Count == query.Count || bytes >= MostBytes)
            {
                return new MqttPage<TView> { Items = [.. rows], More = true };
            }

            rows.Add(view(one));
            bytes += Row + Encoding.UTF8.GetByteCount(name(one));
        }

        return new MqttPage<TView> { Items = [.. rows] };
    }

    /// <summary>Whether a client identifier is what a person typed: <c>*</c> stands for any characters.</summary>
    public static bool IsMeant(ReadOnlySpan<char> clientId, ReadOnlySpan<char> name)
    {
        // The last star takes one character more each time when what stands behind it does not fit.
        var (at, of, star, taken) = (0, 0, -1, 0);
        while (at < clientId.Length)
        {
            if (of < name.Length && name[of] == '*')
            {
                (star, taken) = (of++, at);
            }
            else if (of < name.Length && name[of] == clientId[at])
            {
                (at, of) = (at + 1, of + 1);
            }
            else if (star >= 0)
            {
                (of, at) = (star + 1, ++taken);
            }
            else
            {
                return false;
            }
        }

        return name[of..].TrimStart('*').IsEmpty;
    }

    private static MqttSessionView Of(Session session, SessionLoad load, int subscriptions) => new()
    {
        ClientId = session.ClientId,
        IsConnected = session.Connection is not null,
        IsStored = session.IsStored,
        Expiry = session.Expiry == Session.Never ? null : TimeSpan.FromSeconds(session.Expiry),
        Gone = session.Gone is { } gone ? Time(gone) : null,
        Subscriptions = subscriptions,
        Waiting = load.Waiting,
        InFlight = load.InFlight,
        Bytes = load.Bytes,
        Lost = session.Losses.Total,
    };

    private static string Name(MqttProtocolVersion version) => version switch
    {
        MqttProtocolVersion.V310 => "3.1",
        MqttProtocolVersion.V311 => "3.1.1",
        _ => "5",
    };

    private static MqttWillView Of(LastWill will) => new()
    {
        Topic = will.Message.Topic,
        Qos = will.Message.Qos,
        Retain = will.Message.Retain,
        Delay = TimeSpan.FromSeconds(will.Delay),
        Due = will.Due is { } due ? Time(due) : null,
    };

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
