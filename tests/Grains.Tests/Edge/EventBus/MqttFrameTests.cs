namespace EdgeOrleans.Edge.EventBus;

public sealed class MqttFrameTests
{
    [Fact]
    public void A_header_is_read_when_its_length_is_complete()
    {
        Assert.False(MqttFrame.TryRead([0x30], 1_000, out _));
        Assert.False(MqttFrame.TryRead([0x30, 0x80], 1_000, out _));
        Assert.True(MqttFrame.TryRead([0x30, 0x80, 0x01], 1_000, out var frame));
        Assert.Equal(new MqttFrame(0x30, 3, 128), frame);
    }

    [Fact]
    public void A_packet_that_announces_more_than_is_allowed_is_refused_by_its_header()
    {
        var broken = Assert.Throws<MqttDoorException>(() => MqttFrame.TryRead([0x30, 0xFF, 0xFF, 0xFF, 0x7F], 1_024, out _));

        Assert.Equal("mqtt.packet-too-large", broken.Reason);
    }

    [Fact]
    public void A_remaining_length_of_five_bytes_is_a_protocol_violation()
    {
        var broken = Assert.Throws<MqttDoorException>(() => MqttFrame.TryRead([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], 1_024, out _));

        Assert.Equal("mqtt.protocol-violation", broken.Reason);
    }
}
