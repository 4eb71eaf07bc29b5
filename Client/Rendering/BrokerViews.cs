using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Client.Rendering;

/// <summary>What the broker of a node shows, as columns and as JSON.</summary>
internal static class BrokerViews
{
    public static Table Clients(IEnumerable<MqttClientView> clients, bool wide, TimeProvider time)
    {
        string[] headers = ["CLIENT", "ADDRESS", "MQTT", "CONNECTED", "KEEP-ALIVE", "RECEIVED", "SENT", "LOST"];
        var table = new Table(wide ? [.. headers, "USER", "TLS", "CLEAN", "PACKETS RECEIVED", "BYTES RECEIVED", "PACKETS SENT", "BYTES SENT"] : headers);
        foreach (var client in clients)
        {
            var traffic = client.Traffic;
            string[] cells =
            [
                client.ClientId, client.Address, client.Version, Tables.Span(time.GetUtcNow() - client.Since), KeepAlive(client),
                $"{traffic.MessagesReceived}", $"{traffic.MessagesSent}", $"{client.Lost}",
            ];
            table.Add(wide
                ? [.. cells, client.User, YesNo(client.IsTls), YesNo(client.IsClean), $"{traffic.PacketsReceived}", $"{traffic.BytesReceived}", $"{traffic.PacketsSent}", $"{traffic.BytesSent}"]
                : cells);
        }

        return table;
    }

    public static Table Sessions(IEnumerable<MqttSessionView> sessions, bool wide, TimeProvider time)
    {
        string[] headers = ["CLIENT", "CONNECTED", "AWAY", "SUBSCRIPTIONS", "WAITING", "IN FLIGHT", "BYTES", "LOST"];
        var table = new Table(wide ? [.. headers, "STORED", "OUTLIVES"] : headers);
        foreach (var session in sessions)
        {
            string[] cells =
            [
                session.ClientId, YesNo(session.IsConnected), session.Gone is { } gone ? Tables.Span(time.GetUtcNow() - gone) : "", $"{session.Subscriptions}",
                $"{session.Waiting}", $"{session.InFlight}", $"{session.Bytes}", $"{session.Lost}",
            ];
            table.Add(wide ? [.. cells, YesNo(session.IsStored), session.Expiry is { } expiry ? Tables.Span(expiry) : "for ever"] : cells);
        }

        return table;
    }

    public static Table Subscriptions(IEnumerable<MqttSubscriptionView> subscriptions)
    {
        var table = new Table("FILTER", "QOS", "NO LOCAL", "RETAIN AS PUBLISHED", "RETAIN HANDLING", "IDENTIFIER");
        foreach (var wish in subscriptions)
        {
            table.Add(
                wish.Filter, $"{wish.Qos}", YesNo(wish.NoLocal), YesNo(wish.RetainAsPublished), Handling(wish), wish.Identifier == 0 ? "" : $"{wish.Identifier}");
        }

        return table;
    }

    public static Table Retained(IEnumerable<MqttRetainedView> messages, bool wide, TimeProvider time)
    {
        var table = wide ? new Table("TOPIC", "QOS", "BYTES", "AGE", "PUBLISHED", "EXPIRES") : new Table("TOPIC", "QOS", "BYTES", "AGE");
        foreach (var message in messages)
        {
            string[] cells = [message.Topic, $"{message.Qos}", $"{message.Bytes}", Tables.Span(time.GetUtcNow() - message.Published)];
            table.Add(wide ? [.. cells, Documents.Time(message.Published), message.Expires is { } at ? Documents.Time(at) : ""] : cells);
        }

        return table;
    }

    public static Table Users(MqttUsers users)
    {
        var table = new Table("USER");
        foreach (var user in users.Page.Items)
        {
            table.Add(user);
        }

        return table;
    }

    public static Table Certificates(IEnumerable<MqttCertificateView> certificates)
    {
        var table = new Table("USER", "SERIAL", "ISSUED", "ENDS", "REVOKED");
        foreach (var certificate in certificates)
        {
            table.Add(certificate.User, certificate.Serial, When(certificate.Issued), Documents.Time(certificate.NotAfter), When(certificate.Revoked));
        }

        return table;
    }

    /// <summary>Everything of one client, line by line.</summary>
    public static void Write(TextWriter output, MqttSessionDetail client, IReadOnlyCollection<MqttSubscriptionView> subscriptions, TimeProvider time)
    {
        var session = client.Session;
        Field(output, "Client", session.ClientId);
        if (client.Client is { } connection)
        {
            Field(output, "Connected", $"at {connection.Address} with MQTT {connection.Version} since {Documents.Time(connection.Since)} ({Tables.Span(time.GetUtcNow() - connection.Since)})");
            Field(output, "Began", connection.IsClean ? "anew" : "with what there was");
            Field(output, "Keep-alive", KeepAlive(connection));
        }
        else
        {
            Field(output, "Connected", session.Gone is { } gone ? $"no, since {Documents.Time(gone)} ({Tables.Span(time.GetUtcNow() - gone)})" : YesNo(session.IsConnected));
        }

        Field(output, "Session", Life(session));
        Field(output, "Will", client.Will is { } will ? Will(will) : "none");
        Field(output, "Waiting", Messages(session.Waiting) + (client.OldestWaiting is { } age ? $", the oldest for {Tables.Span(age)}" : ""));
        Field(output, "In flight", Messages(session.InFlight));
        Field(output, "Bytes", $"{session.Bytes}");
        Field(output, "Retained", $"{Messages(client.RetainedWaiting)} still to be sent");
        Field(output, "Unreleased", Messages(client.Unreleased));
        if (client.Client is { Traffic: var traffic })
        {
            Field(output, "Received", $"{Messages(traffic.MessagesReceived)}, {traffic.PacketsReceived} packets, {traffic.BytesReceived} bytes");
            Field(output, "Sent", $"{Messages(traffic.MessagesSent)}, {traffic.PacketsSent} packets, {traffic.BytesSent} bytes");
        }

        Field(output, "Lost", Losses(client.Losses));
        var table = Subscriptions(subscriptions);
        output.WriteLine(table.Count == 0 ? "Subscriptions: none" : "Subscriptions:");
        if (table.Count > 0)
        {
            table.Write(output, "  ");
        }
    }

    /// <summary>A retained message with its payload.</summary>
    public static void Write(TextWriter output, MqttRetainedDetail retained, TimeProvider time)
    {
        var message = retained.Message;
        Field(output, "Topic", message.Topic);
        Field(output, "QoS", $"{message.Qos}");
        Field(output, "Published", $"{Documents.Time(message.Published)} ({Tables.Span(time.GetUtcNow() - message.Published)} ago)");
        Field(output, "Expires", message.Expires is { } at ? Documents.Time(at) : "never");
        Field(output, "Bytes", $"{message.Bytes}" + (retained.IsCut ? $", the first {retained.Payload.Length} of them are shown" : ""));
        var text = Payload(retained);
        Field(output, "Payload", text is null ? "in base64" : "");
        foreach (var line in (text ?? Convert.ToBase64String(retained.Payload.Span, Base64FormattingOptions.InsertLineBreaks)).ReplaceLineEndings("\n").Split('\n'))
        {
            output.WriteLine($"  {Text.Plain(line.Replace("\t", "    ", StringComparison.Ordinal))}");
        }
    }

    public static JsonArray ClientsDocument(IEnumerable<MqttClientView> clients) => [.. clients.Select(Client)];

    public static JsonArray SessionsDocument(IEnumerable<MqttSessionView> sessions) => [.. sessions.Select(Session)];

    public static JsonArray RetainedDocument(IEnumerable<MqttRetainedView> messages) => [.. messages.Select(Message)];

    public static JsonObject Document(MqttSessionDetail client, IEnumerable<MqttSubscriptionView> subscriptions)
    {
        var document = Session(client.Session);
        document["oldestWaitingSeconds"] = client.OldestWaiting?.TotalSeconds;
        document["retainedWaiting"] = client.RetainedWaiting;
        document["unreleased"] = client.Unreleased;
        document["lostBy"] = new JsonObject
        {
            ["slowReader"] = client.Losses.SlowReader,
            ["queueFull"] = client.Losses.QueueFull,
            ["expired"] = client.Losses.Expired,
            ["tooLarge"] = client.Losses.TooLarge,
        };
        document["will"] = client.Will is { } will ? Document(will) : null;
        document["connection"] = client.Client is { } connection ? Client(connection) : null;
        document["subscriptions"] = new JsonArray([.. subscriptions.Select(static wish => new JsonObject
        {
            ["filter"] = wish.Filter,
            ["qos"] = wish.Qos,
            ["noLocal"] = wish.NoLocal,
            ["retainAsPublished"] = wish.RetainAsPublished,
            ["retainHandling"] = wish.RetainHandling,
            ["identifier"] = wish.Identifier == 0 ? null : wish.Identifier,
        })]);
        return document;
    }

    public static JsonObject Document(MqttRetainedDetail retained)
    {
        var document = Message(retained.Message);
        if (Payload(retained) is { } text)
        {
            document["payload"] = text;
        }
        else
        {
            document["payloadBase64"] = Convert.ToBase64String(retained.Payload.Span);
        }

        document["cut"] = retained.IsCut;
        return document;
    }

    public static JsonArray CertificatesDocument(IEnumerable<MqttCertificateView> certificates) => [.. certificates.Select(static certificate => new JsonObject
    {
        ["user"] = certificate.User,
        ["serial"] = certificate.Serial,
        ["issued"] = certificate.Issued is { } issued ? Documents.Time(issued) : null,
        ["notAfter"] = Documents.Time(certificate.NotAfter),
        ["revoked"] = certificate.Revoked is { } revoked ? Documents.Time(revoked) : null,
    })];

    public static JsonObject Document(MqttUsers users) => new()
    {
        ["users"] = new JsonArray([.. users.Page.Items.Select(static user => JsonValue.Create(user))]),
        ["file"] = users.HasFile,
        ["rules"] = users.Rules switch { MqttRuleSource.File => "file", MqttRuleSource.Defaults => "defaults", _ => "none" },
        ["usersError"] = users.UsersError,
        ["rulesError"] = users.RulesError,
    };

    private static string When(DateTimeOffset? time) => time is { } known ? Documents.Time(known) : "";

    private static JsonObject Client(MqttClientView client) => new()
    {
        ["client"] = client.ClientId,
        ["address"] = client.Address,
        ["version"] = client.Version,
        ["user"] = client.User,
        ["tls"] = client.IsTls,
        ["since"] = Documents.Time(client.Since),
        ["keepAliveSeconds"] = (long)client.KeepAlive.TotalSeconds,
        ["clean"] = client.IsClean,
        ["messagesReceived"] = client.Traffic.MessagesReceived,
        ["packetsReceived"] = client.Traffic.PacketsReceived,
        ["bytesReceived"] = client.Traffic.BytesReceived,
        ["messagesSent"] = client.Traffic.MessagesSent,
        ["packetsSent"] = client.Traffic.PacketsSent,
        ["bytesSent"] = client.Traffic.BytesSent,
        ["lost"] = client.Lost,
    };

    private static JsonObject Session(MqttSessionView session) => new()
    {
        ["client"] = session.ClientId,
        ["connected"] = session.IsConnected,
        ["stored"] = session.IsStored,
        ["expirySeconds"] = session.Expiry is { } expiry ? (long)expiry.TotalSeconds : null,
        ["gone"] = session.Gone is { } gone ? Documents.Time(gone) : null,
        ["subscriptionCount"] = session.Subscriptions,
        ["waiting"] = session.Waiting,
        ["inFlight"] = session.InFlight,
        ["bytes"] = session.Bytes,
        ["lost"] = session.Lost,
    };

    private static JsonObject Message(MqttRetainedView message) => new()
    {
        ["topic"] = message.Topic,
        ["qos"] = message.Qos,
        ["bytes"] = message.Bytes,
        ["published"] = Documents.Time(message.Published),
        ["expires"] = message.Expires is { } at ? Documents.Time(at) : null,
    };

    private static JsonObject Document(MqttWillView will) => new()
    {
        ["topic"] = will.Topic,
        ["qos"] = will.Qos,
        ["retain"] = will.Retain,
        ["delaySeconds"] = (long)will.Delay.TotalSeconds,
        ["due"] = will.Due is { } due ? Documents.Time(due) : null,
    };

    /// <summary>A payload as text; null when it is none.</summary>
    private static string? Payload(MqttRetainedDetail retained)
    {
        var bytes = retained.Payload.Span;
        var whole = retained.IsCut ? bytes[..Boundary(bytes)] : bytes;
        return Utf8.IsValid(whole) && Encoding.UTF8.GetString(whole) is var text && !text.Any(static c => char.IsControl(c) && c is not ('\t' or '\r' or '\n')) ? text : null;
    }

    // A character of several bytes may have been cut: what is left of it is left out.
    private static int Boundary(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.Length;
        while (end > 0 && bytes.Length - end < 3 && (bytes[end - 1] & 0xC0) == 0x80)
        {
            end--;
        }

        return end > 0 && bytes[end - 1] >= 0xC0 && !Utf8.IsValid(bytes[(end - 1)..]) ? end - 1 : bytes.Length;
    }

    private static void Field(TextWriter output, string name, string value) => output.WriteLine($"{name + ":",-15}{Text.Plain(value)}".TrimEnd());

    private static string YesNo(bool value) => value ? "yes" : "no";

    private static string KeepAlive(MqttClientView client) => client.KeepAlive == TimeSpan.Zero ? "none" : $"{client.KeepAlive.TotalSeconds:0}s";

    private static string Handling(MqttSubscriptionView wish) => wish.RetainHandling switch { 0 => "send", 1 => "send if new", _ => "never" };

    private static string Messages(long count) => count == 1 ? "1 message" : $"{count} messages";

    private static string Life(MqttSessionView session) => session.Expiry switch
    {
        null => "stays until its client begins anew",
        { Ticks: 0 } => "ends with its connection",
        { } expiry => $"outlives its connection by {Tables.Span(expiry)}",
    };

    private static string Will(MqttWillView will) =>
        $"to {will.Topic} with QoS {will.Qos}{(will.Retain ? ", retained" : "")}"
        + (will.Due is { } due ? $", due {Documents.Time(due)}" : will.Delay > TimeSpan.Zero ? $", {will.Delay.TotalSeconds:0}s after the connection" : "");

    private static string Losses(MqttLosses losses) => losses.Total == 0
        ? Messages(0)
        : $"{Messages(losses.Total)}: {losses.SlowReader} read too slowly, {losses.QueueFull} queue full, {losses.Expired} too old, {losses.TooLarge} too large";
}
