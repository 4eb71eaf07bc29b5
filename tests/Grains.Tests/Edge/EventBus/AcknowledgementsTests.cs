using MQTTnet.Packets;

namespace EdgeOrleans.Edge.EventBus;

public sealed class AcknowledgementsTests
{
    private readonly List<ushort> _sent = [];
    private readonly Acknowledgements _acknowledgements;

    public AcknowledgementsTests() => _acknowledgements = new(packet => _sent.Add(((MqttPubAckPacket)packet).PacketIdentifier));

    [Fact]
    public void Acknowledgements_leave_in_the_order_of_the_publishes()
    {
        var first = _acknowledgements.Expect(7, received: false);
        _acknowledgements.Expect(8, received: false);
        var third = _acknowledgements.Expect(9, received: false);

        _acknowledgements.Ready(third, Ack(9));
        _acknowledgements.Ready(8, Ack(8));
        Assert.Empty(_sent);

        _acknowledgements.Ready(first, Ack(7));
        Assert.Equal([7, 8, 9], _sent.Select(id => (int)id));
    }

    [Fact]
    public void An_acknowledgement_that_nobody_owes_leaves_at_once()
    {
        _acknowledgements.Ready(3, Ack(3));

        Assert.Equal([3], _sent.Select(id => (int)id));
    }

    [Fact]
    public void A_packet_id_may_be_used_again_after_its_acknowledgement()
    {
        _acknowledgements.Ready(_acknowledgements.Expect(1, received: false), Ack(1));
        Assert.False(_acknowledgements.IsOwed(1));

        _acknowledgements.Expect(1, received: false);
        Assert.True(_acknowledgements.IsOwed(1));
    }

    private static MqttPubAckPacket Ack(ushort id) => new() { PacketIdentifier = id };
}
