using System.Buffers;
using System.Text;
using System.Text.Json;
using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// Carries requests of clients to the twins, and brings back the publications and the acknowledgement of each: both only after the
/// change is on disk. An acknowledgement that cannot be given truthfully is not given.
/// </summary>
internal sealed partial class TwinRequests(
    IMessageContext beehive,
    Responses responses,
    Outlets outlets,
    Publisher publisher,
    Refusals refusals,
    IOptions<EventBusOptions> options,
    TimeProvider time,
    ILogger<TwinRequests> logger)
{
    // A refusal that freed its place at once would invite the next at once.
    private static readonly TimeSpan RefusalPause = TimeSpan.FromMilliseconds(100);

    private readonly TopicCache<RequestTopic> _topics = new();
    private readonly ILogger _logger = logger;
    private int _underWay;

    /// <summary>How many requests are without their answer.</summary>
    public int UnderWay => _underWay;

    public RequestTopic Read(string topic)
    {
        if (_topics.TryGet(topic, out var known))
        {
            return known;
        }

        var read = RequestTopics.Parse(topic);
        return read.Kind == TopicKind.Request ? _topics.Add(topic, read) : read;
    }

    /// <summary>Takes a publish that is ours. It returns when the next publish of this client may be read.</summary>
    public ValueTask TakeAsync(
        IMqttPeer client,
        RequestTopic topic,
        MqttPublishPacket publish,
        Acknowledgements.Owed? owed,
        CancellationToken cancellation)
    {
        switch (topic.Kind)
        {
            case TopicKind.BadDevice:
                refusals.Count("mqtt.bad-device-id");
                publisher.PublishOnce(topic.ResultResource, Refusal(publish.Payload.ToArray(), 400, topic.Reason));
                client.Acknowledge(owed, MqttPubAckReasonCode.TopicNameInvalid);
                return ValueTask.CompletedTask;
            default:
                return EnterAndSendAsync(client, topic, publish, owed, cancellation);
        }
    }

    /// <summary>Takes the last will of a client whose connection was lost: nobody is held back by it. It returns when it is answered, or has failed.</summary>
    public async Task TakeWillAsync(RequestTopic topic, MqttMessage will)
    {
        if (topic.Kind != TopicKind.Request)
        {
            refusals.Count("mqtt.bad-device-id");
            return;
        }

        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAsync(null, topic, will.Payload.ToArray(), will.Qos, null, CancellationToken.None, ended);
        await ended.Task;
    }

    private async ValueTask EnterAndSendAsync(
        IMqttPeer client,
        RequestTopic topic,
        MqttPublishPacket publish,
        Acknowledgements.Owed? owed,
        CancellationToken cancellation)
    {
        await client.Window.EnterAsync(cancellation);
        await SendAsync(client, topic, publish.Payload.ToArray(), (int)publish.QualityOfServiceLevel, owed, cancellation);
    }

    private async ValueTask SendAsync(
        IMqttPeer? client,
        RequestTopic topic,
        byte[] payload,
        int qos,
        Acknowledgements.Owed? owed,
        CancellationToken cancellation,
        TaskCompletionSource? ended = null)
    {
        var shown = ShowOthers(topic.Topic, payload, qos, client?.Session);
        var row = RowOf(client, topic, owed);
        var message = Message.Create("bus", Groups.Twin, topic.Operation, topic.Resource, payload, time.GetUtcNow().ToUnixTimeMilliseconds()) with
        {
            ResultOnly = !SomebodyHearsMore(topic),
            Alongside = row,
        };
        var request = new Request(this, client, topic, payload, owed, row, shown, ended);
        Interlocked.Increment(ref _underWay);
        responses.Expect(message.Header.Id, request, options.Value.RequestTimeout);
        try
        {
            await beehive.SendAsync(topic.To, message, cancellation);
        }
        catch (BeehiveFullException e)
        {
            if (responses.Forget(message.Header.Id))
            {
                request.Overloaded(e.Message);
            }
        }
        catch (Exception e)
        {
            if (responses.Forget(message.Header.Id))
            {
                request.Failed(e is ModuleUnavailableException ? e.Message : "the node is stopping");
            }

            if (e is not ModuleUnavailableException and not OperationCanceledException)
            {
                throw;
            }
        }
    }

    // Requests are for the twin; a client that listens to them (a debugger, a logger) still hears them, as from any broker.
    private Task<bool>? ShowOthers(string topic, byte[] payload, int qos, Session? sender)
    {
        var outlet = outlets.OfTopic(topic);
        return outlet.Subscribers.Length > 0 ? publisher.Deliver(outlet, payload, qos, sender) : null;
    }

    private bool SomebodyHearsMore(RequestTopic topic)
    {
        foreach (var resource in topic.SideResources)
        {
            if (publisher.IsHeard(outlets.Of(resource)))
            {
                return true;
            }
        }

        return false;
    }

    // Who listens with a session that survives is promised the answer, and the answer is on disk after the twin: there the identifier comes
    // last of all, since a client that does not send again would leave that promise unkept.
    private ReceivedRow? RowOf(IMqttPeer? client, RequestTopic topic, Acknowledgements.Owed? owed) =>
        owed is { IsReceived: true } && client?.Session is { IsStored: true } session && topic.Answers.Length > 0 && !IsPromised(topic)
            ? new ReceivedRow(session.Number, owed.PacketId)
            : null;

    private bool IsPromised(RequestTopic topic)
    {
        foreach (var resource in topic.Answers)
        {
            if (publisher.IsPromised(outlets.Of(resource)))
            {
                return true;
            }
        }

        return false;
    }

    private void Tell(string resource, bool oneLevel, byte[] request, int code, string reason)
    {
        if (resource.Length > 0)
        {
            publisher.Publish(resource, oneLevel, Refusal(request, code, reason));
        }
    }

    private ReadOnlyMemory<byte> Refusal(byte[] request, int code, string reason)
    {
        var payload = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(payload))
        {
            writer.WriteStartObject();
            writer.WriteString("event_id", EventIdOf(request));
            writer.WriteNumber("timestamp", time.GetUtcNow().ToUnixTimeMilliseconds());
            writer.WriteNumber("code", code);
            writer.WriteString("reason", reason);
            writer.WriteEndObject();
        }

        return payload.WrittenMemory;
    }

    private static string EventIdOf(ReadOnlySpan<byte> request)
    {
        try
        {
            var reader = new Utf8JsonReader(request);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return "";
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("event_id"u8);
                reader.Read();
                if (isId)
                {
                    return reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
                }

                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            // It is no JSON: it has no id.
        }

        return "";
    }

    [LoggerMessage(LogLevel.Warning, "No answer about {Resource} within {Timeout}; its publish is not acknowledged")]
    private partial void LogNoAnswer(string resource, TimeSpan timeout);

    [LoggerMessage(LogLevel.Error, "Could not publish the answer about {Resource}")]
    private partial void LogPublishFailed(Exception exception, string resource);

    /// <summary>One request under way. Its answer is published and acknowledged on the thread of the twin: in the order of the twin's changes.</summary>
    private sealed class Request(
        TwinRequests owner, IMqttPeer? client, RequestTopic topic, byte[] payload, Acknowledgements.Owed? owed, ReceivedRow? row, Task<bool>? shown,
        TaskCompletionSource? ended)
        : IResponseHandler
    {
        public void OnResponse(Message response)
        {
            var storing = shown;
            try
            {
                foreach (var part in response.Parts)
                {
                    storing = Publisher.Both(storing, owner.Publish(part, topic.OneLevel));
                }
            }
            catch (Exception e)
            {
                owner.LogPublishFailed(e, topic.Resource);
            }

            if (storing is null)
            {
                Answered(response);
            }
            else
            {
                _ = AnsweredAsync(response, storing);
            }
        }

        // Somebody whose session survives listens: the acknowledgement promises that he will hear.
        private async Task AnsweredAsync(Message response, Task<bool> storing)
        {
            if (await storing)
            {
                Answered(response);
            }
            else
            {
                NotDone();
                End();
            }
        }

        private void Answered(Message response)
        {
            if (response.Code >= 500 && response.Code != 503)
            {
                NotDone();
            }
            else
            {
                if (response.IsError)
                {
                    owner.Refused(response.Code);
                }

                if (row?.Close() == true)
                {
                    client!.Session!.Incoming.StoredWithItsMessage(owed!.PacketId);
                }

                client?.Acknowledge(owed, ReasonOf(response.Code));
            }

            End();
        }

        public void OnTimeout(string messageId)
        {
            owner.LogNoAnswer(topic.Resource, owner.Timeout);
            Failed($"no answer from the twin within {owner.Timeout.TotalSeconds:0.#} s");
        }

        public void Failed(string reason)
        {
            owner.Tell(topic.ResultResource, topic.OneLevel, payload, 500, reason);
            NotDone();
            End();
        }

        public void Overloaded(string reason)
        {
            owner.Refused(503);
            owner.Tell(topic.ResultResource, topic.OneLevel, payload, 503, reason);
            client?.Acknowledge(owed, MqttPubAckReasonCode.QuotaExceeded);
            _ = EndLaterAsync();
        }

        // What is not on disk is never acknowledged: MQTT 5 hears why, MQTT 3.1.1 is disconnected and sends again.
        private void NotDone()
        {
            owner.Refused(500);
            if (row?.Close() == true && client!.IsVersion5)
            {
                _ = TakeBackAsync(client, owed!);
            }
            else
            {
                // A client of MQTT 3.1.1 sends it again with its identifier, and the row of that is there if the change is.
                client?.NotDone(owed);
            }
        }

        private static async Task TakeBackAsync(IMqttPeer client, Acknowledgements.Owed owed)
        {
            if (await client.Session!.Incoming.TryTakeBackAsync(owed.PacketId))
            {
                client.NotDone(owed);
            }
            else
            {
                (client.Session.Connection ?? client).Abort();
            }
        }

        private async Task EndLaterAsync()
        {
            await Task.Delay(RefusalPause, owner.Clock);
            End();
        }

        private void End()
        {
            Interlocked.Decrement(ref owner._underWay);
            client?.Window.Leave();
            ended?.TrySetResult();
        }

        private static MqttPubAckReasonCode ReasonOf(int code) => code switch
        {
            0 => MqttPubAckReasonCode.Success,
            503 => MqttPubAckReasonCode.QuotaExceeded,
            404 => MqttPubAckReasonCode.TopicNameInvalid,
            _ => MqttPubAckReasonCode.PayloadFormatInvalid,
        };
    }

    private TimeSpan Timeout => options.Value.RequestTimeout;

    private TimeProvider Clock => time;

    private Task<bool>? Publish(Message part, bool oneLevel) => publisher.Publish(part.Route.Resource, oneLevel, part.Content);

    private void Refused(int code) => refusals.Count(code switch
    {
        404 => "twin.unknown-device",
        500 => "twin.failed",
        503 => "twin.overloaded",
        _ => "twin.bad-request",
    });
}
