namespace EdgeOrleans.Edge.EventBus;

public sealed class RequestWindowTests
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_window_holds_its_reader_until_a_place_is_free()
    {
        var window = new RequestWindow(2);
        await window.EnterAsync(Now);
        await window.EnterAsync(Now);

        var third = window.EnterAsync(Now).AsTask();
        Assert.False(third.IsCompleted);

        window.Leave();
        await third;
        Assert.Equal(2, window.Taken);
    }

    [Fact]
    public async Task A_reader_that_gave_up_waiting_leaves_no_place_taken()
    {
        var window = new RequestWindow(1);
        await window.EnterAsync(Now);
        using var gaveUp = new CancellationTokenSource();
        var waiting = window.EnterAsync(gaveUp.Token).AsTask();
        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        window.Leave();
        window.Leave();

        Assert.True(window.Taken <= 0);
    }
}
