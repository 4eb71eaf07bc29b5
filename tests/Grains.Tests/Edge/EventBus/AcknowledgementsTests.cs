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
        var first = Expect(7);
        Expect(8);
        var third = Expect(9);

        _acknowledgements.Ready(third, Ack(9));
        _acknowledgements.ReadyIfOwed(8, Ack(8));
        Assert.Empty(_sent);

        _acknowledgements.Ready(first, Ack(7));
        Assert.Equal([7, 8, 9], _sent.Select(id => (int)id));
    }

    [Fact]
    public void An_acknowledgement_that_nobody_owes_does_not_leave()
    {
        _acknowledgements.ReadyIfOwed(3, Ack(3));

        Assert.Empty(_sent);
    }

    [Fact]
    public void A_packet_id_may_be_used_again_after_its_acknowledgement()
    {
        _acknowledgements.Ready(Expect(1), Ack(1));
        Assert.False(_acknowledgements.IsOwed(1));

        Expect(1);
        Assert.True(_acknowledgements.IsOwed(1));
    }

    [Fact]
    public void A_packet_id_in_use_is_not_given_twice()
    {
        Expect(1);

        Assert.False(_acknowledgements.TryExpect(1, received: false, out _));
    }

    private Acknowledgements.Owed Expect(ushort id) => _acknowledgements.TryExpect(id, received: false, out var owed)
        ? owed
        : throw new InvalidOperationException($"packet id {id} is in use");

    private static MqttPubAckPacket Ack(ushort id) => new() { PacketIdentifier = id };
}
