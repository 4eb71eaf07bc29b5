using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Link.Wire;

/// <summary>The wire that tests of the link stand on.</summary>
public sealed class WireTests : IDisposable
{
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(1));
    private readonly byte[] _into = new byte[100];

    private CancellationToken Patience => _patience.Token;

    [Fact]
    public async Task Bytes_arrive_in_order_and_once_and_then_the_end()
    {
        using var wire = new TestKit.Wire();

        await wire.Left.WriteAsync("abc"u8.ToArray(), Patience);
        await wire.Left.WriteAsync("def"u8.ToArray(), Patience);
        await wire.Left.DisposeAsync();

        Assert.Equal("abcdef"u8.ToArray(), await ReadAllAsync(wire.Right));
        await Assert.ThrowsAsync<IOException>(() => wire.Right.WriteAsync("x"u8.ToArray(), Patience).AsTask());
    }

    [Fact]
    public async Task A_full_window_holds_back_the_writer()
    {
        using var wire = new TestKit.Wire(window: 10);

        var writing = wire.Left.WriteAsync(new byte[11], Patience).AsTask();
        await wire.BytesToRightAsync(10, Patience);
        Assert.False(writing.IsCompleted);

        Assert.Equal(1, await wire.Right.ReadAsync(_into.AsMemory(0, 1), Patience));
        await writing;
        Assert.Equal(11, wire.BytesToRight);
    }

    [Fact]
    public async Task A_delayed_and_throttled_byte_arrives_at_its_moment()
    {
        var time = new FakeTimeProvider();
        using var wire = new TestKit.Wire(time) { Delay = TimeSpan.FromSeconds(1), BytesPerSecond = 10 };
        await wire.Left.WriteAsync(new byte[20], Patience);
        var reading = wire.Right.ReadAsync(_into, Patience).AsTask();

        time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(reading.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(20, await reading);
    }

    [Fact]
    public async Task A_held_wire_fails_nothing_and_a_released_one_has_lost_nothing()
    {
        using var wire = new TestKit.Wire();
        wire.Hold();
        await wire.Left.WriteAsync("abc"u8.ToArray(), Patience);
        var reading = wire.Right.ReadAsync(_into, Patience).AsTask();
        Assert.False(reading.IsCompleted);

        wire.Release();

        Assert.Equal(3, await reading);
    }

    [Fact]
    public async Task A_cut_fails_everybody_at_once_and_for_good()
    {
        using var wire = new TestKit.Wire(window: 1);
        var readings = new[] { wire.Left.ReadAsync(_into, Patience).AsTask(), wire.Right.ReadAsync(_into, Patience).AsTask() };
        wire.HoldToRight();
        var writing = wire.Left.WriteAsync(new byte[2], Patience).AsTask();

        wire.Cut();

        await Assert.ThrowsAsync<IOException>(() => readings[0]);
        await Assert.ThrowsAsync<IOException>(() => readings[1]);
        await Assert.ThrowsAsync<IOException>(() => writing);
        await Assert.ThrowsAsync<IOException>(() => wire.Right.WriteAsync(new byte[1], Patience).AsTask());
        Assert.True(wire.IsCut);
    }

    public void Dispose() => _patience.Dispose();

    private async Task<byte[]> ReadAllAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Patience);
        return all.ToArray();
    }
}
