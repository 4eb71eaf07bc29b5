namespace EdgeOrleans;

public sealed class HouseTests
{
    [Fact]
    public void The_two_wings_share_only_what_is_outside_them() => Assert.NotNull(typeof(Beehive.Message));
}
