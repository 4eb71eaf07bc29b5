namespace EdgeOrleans.Settings;

public sealed class UnitsTests
{
    [Theory]
    [InlineData("15s", 15_000)]
    [InlineData("2m", 120_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("500ms", 500)]
    [InlineData("5m0s", 300_000)]
    [InlineData("0", 0)]
    public void A_duration_is_read_with_its_unit(string text, double milliseconds)
    {
        Assert.True(Units.TryDuration(text, bareSeconds: false, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Fact]
    public void A_bare_number_is_seconds_for_a_key_of_edgecore_and_refused_for_ours()
    {
        Assert.True(Units.TryDuration("15", bareSeconds: true, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(15), duration);
        Assert.False(Units.TryDuration("15", bareSeconds: false, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("15x")]
    [InlineData("00:00:15")]
    [InlineData("-5s")]
    [InlineData("99999999999h")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(Units.TryDuration(text, bareSeconds: true, out _));

    [Theory]
    [InlineData("64k", 64_000)]
    [InlineData("256Mi", 268_435_456)]
    [InlineData("1Gi", 1_073_741_824)]
    [InlineData("12B", 12)]
    public void A_size_is_read_with_its_unit(string text, long bytes)
    {
        Assert.True(Units.TrySize(text, out var size));
        Assert.Equal(bytes, size);
    }

    [Theory]
    [InlineData("1024")]
    [InlineData("1 Gi")]
    [InlineData("Mi")]
    [InlineData("99999999999Gi")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Units.TrySize(text, out _));

    [Theory]
    [InlineData("1h30m")]
    [InlineData("15s")]
    [InlineData("1m500ms")]
    [InlineData("0s")]
    public void What_is_printed_is_read_back(string text)
    {
        Assert.True(Units.TryDuration(text, bareSeconds: false, out var duration));
        Assert.Equal(text, Units.Print(duration));
    }
}
