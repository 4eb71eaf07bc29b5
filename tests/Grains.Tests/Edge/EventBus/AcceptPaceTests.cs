using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus;

public sealed class AcceptPaceTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_crowd_is_let_in_evenly_after_the_first_ones()
    {
        var pace = new AcceptPace(100, _time);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(Next().IsCompleted);
        }

        var late = Next();
        Assert.False(late.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        await late.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(10));

        for (var i = 0; i < 5; i++)
        {
            Assert.True(Next().IsCompleted);
        }

        Assert.False(Next().IsCompleted);

        Task Next() => pace.NextAsync(TestContext.Current.CancellationToken).AsTask();
    }
}
