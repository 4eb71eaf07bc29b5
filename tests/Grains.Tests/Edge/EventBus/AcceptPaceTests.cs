using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus;

public sealed class AcceptPaceTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_crowd_is_let_in_evenly_after_the_first_ones()
    {
        var pace = new AcceptPace(100, _time);
        for (var i = 0; i < 20; i++)
        {
            Assert.True(pace.NextAsync(TestContext.Current.CancellationToken).IsCompleted);
        }

        var late = pace.NextAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(late.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        await late.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(10));

        for (var i = 0; i < 20; i++)
        {
            Assert.True(pace.NextAsync(TestContext.Current.CancellationToken).IsCompleted);
        }

        Assert.False(pace.NextAsync(TestContext.Current.CancellationToken).IsCompleted);
    }
}
