using System.Net;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Cloud.CloudHub;

public sealed class AddressLimitTests
{
    private static readonly IPAddress One = IPAddress.Parse("192.0.2.1");

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void An_address_that_asks_too_often_waits_and_no_other_does()
    {
        var limit = new AddressLimit(60, _time);
        Assert.All(Enumerable.Range(0, 60), _ => Assert.True(limit.TryTake(One, out bool _)));

        Assert.False(limit.TryTake(One, out var first));
        Assert.False(limit.TryTake(One, out var second));
        Assert.True(limit.TryTake(IPAddress.Parse("192.0.2.2"), out _));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(limit.TryTake(One, out _));
        Assert.False(limit.TryTake(One, out var third));
        Assert.Equal((true, false, true), (first, second, third));
    }

    [Fact]
    public void A_network_of_IPv6_is_one_address_and_a_mapped_one_is_the_one_it_maps()
    {
        var limit = new AddressLimit(1, _time);

        Assert.True(limit.TryTake(IPAddress.Parse("2001:db8::1"), out _));
        Assert.False(limit.TryTake(IPAddress.Parse("2001:db8::ffff:2"), out _));
        Assert.True(limit.TryTake(IPAddress.Parse("2001:db8:0:1::1"), out _));
        Assert.True(limit.TryTake(One, out _));
        Assert.False(limit.TryTake(One.MapToIPv6(), out _));
    }

    [Fact]
    public void Many_addresses_take_no_more_room_than_some()
    {
        var limit = new AddressLimit(1, _time);

        for (var i = 0; i < 50_000; i++)
        {
            _time.Advance(TimeSpan.FromTicks(1));
            Assert.True(limit.TryTake(new IPAddress(0x0100_0000 + i), out _));
        }

        Assert.InRange(limit.Count, 1, 10_000);
    }
}
