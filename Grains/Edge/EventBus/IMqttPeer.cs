using System.Net;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The other end of an MQTT connection: a client of the broker inside, or a broker outside whose client the node is.</summary>
internal interface IMqttPeer
{
    EndPoint? RemoteEndPoint { get; }

    /// <summary>Whether it hears reasons.</summary>
    bool IsVersion5 { get; }

    /// <summary>Its session; null until the connection is accepted.</summary>
    Session? Session { get; }

    /// <summary>How many of its publishes may be under way.</summary>
    RequestWindow Window { get; }

    /// <summary>What it is owed.</summary>
    Acknowledgements Acknowledgements { get; }

    /// <summary>How many QoS 1 and 2 messages it takes before it has acknowledged the first.</summary>
    int ReceiveMaximum { get; }

    /// <summary>Appends a PUBLISH; the caller flushes when <paramref name="begins"/> says so.</summary>
    Written Append(MqttMessage message, in PublishHead head, bool waits, ref bool begins);

    void Flush(bool begins);

    void Write(MqttPacket packet);

    /// <summary>Writes a publish with QoS 0. When too much waits already the message is dropped and counted.</summary>
    void TryPublish(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, in PublishHead head);

    /// <summary>A publish was carried out, or refused for good with a reason.</summary>
    void Acknowledge(Acknowledgements.Owed? owed, MqttPubAckReasonCode reason);

    /// <summary>A publish was not carried out, and should be sent again. What is not on disk is never acknowledged.</summary>
    void NotDone(Acknowledgements.Owed? owed);

    /// <summary>Ends the connection because another takes its place; returns when nothing that it had read is still on its way.</summary>
    Task GiveWayAsync();

    /// <summary>Ends the connection when what was said last is on its way.</summary>
    Task DisconnectAsync(CancellationToken cancellationToken);

    /// <summary>Ends the connection at once.</summary>
    void Abort();
}
