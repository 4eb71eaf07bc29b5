using System.Globalization;
using System.Net;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class LoginThrottleTests
{
    private static readonly IPAddress Here = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress There = IPAddress.Parse("10.0.0.2");
    private readonly FakeTimeProvider _time = new();
    private readonly LoginThrottle _throttle;

    public LoginThrottleTests() => _throttle = new LoginThrottle(_time);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_try_and_one_after_a_right_one_wait_for_nothing()
    {
        (await AtOnceAsync(Here, "anna")).Succeeded();
        (await AtOnceAsync(Here, "anna")).Succeeded();

        Assert.Equal((0, 0), _throttle.Entries);
    }

    [Fact]
    public async Task Each_wrong_password_doubles_the_wait_up_to_30_seconds()
    {
        foreach (var seconds in new[] { 0, 1, 2, 4, 8, 16, 30, 30, 30 })
        {
            (await AfterAsync(Here, "anna", TimeSpan.FromSeconds(seconds))).Failed();
        }
    }

    [Fact]
    public async Task A_right_password_ends_the_waits_of_its_user()
    {
        await WrongAsync(Here, "anna", 3);
        (await AfterAsync(Here, "anna", TimeSpan.FromSeconds(4))).Succeeded();

        await AtOnceAsync(Here, "anna");
    }

    [Fact]
    public async Task A_try_that_comes_late_has_waited_already()
    {
        await WrongAsync(Here, "anna", 3);
        _time.Advance(TimeSpan.FromSeconds(3));
        (await AfterAsync(Here, "anna", TimeSpan.FromSeconds(1))).Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));

        await AtOnceAsync(Here, "anna");
    }

    [Fact]
    public async Task Other_users_and_other_addresses_wait_for_nothing()
    {
        await WrongAsync(Here, "anna", 5);

        await AtOnceAsync(Here, "bert");
        await AtOnceAsync(There, "anna");
    }

    [Fact]
    public async Task One_password_of_a_user_is_looked_at_at_a_time_and_each_wrong_one_counts()
    {
        var first = await AtOnceAsync(Here, "anna");
        var second = _throttle.EnterAsync(Here, "anna", Now).AsTask();
        var third = _throttle.EnterAsync(Here, "anna", Now).AsTask();
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(second.IsCompleted);

        first.Failed();
        Pass(TimeSpan.FromSeconds(1), second);
        (await second).Failed();
        Pass(TimeSpan.FromSeconds(2), third);
        (await third).Succeeded();

        Assert.Equal(0, _throttle.Waiting);
        await AtOnceAsync(Here, "anna");
    }

    [Fact]
    public async Task Who_waits_behind_a_right_one_has_his_turn_at_once()
    {
        var first = await AtOnceAsync(Here, "anna");
        var second = _throttle.EnterAsync(Here, "anna", Now).AsTask();

        first.Succeeded();

        Assert.True((await second).HasWaited);
    }

    [Fact]
    public async Task Ten_wrong_ones_of_any_users_within_a_minute_make_an_address_slow()
    {
        for (var i = 0; i < 9; i++)
        {
            (await AtOnceAsync(Here, Name(i))).Failed();
        }

        (await AtOnceAsync(Here, "still-fast")).Failed();
        Assert.True(_throttle.IsSlow(Here));
        Assert.False(_throttle.IsSlow(There));
        (await AfterAsync(Here, "innocent", TimeSpan.FromSeconds(1))).Succeeded();
        (await AfterAsync(Here, "innocent", TimeSpan.FromSeconds(1))).Dispose();
        await AtOnceAsync(There, "innocent");
    }

    [Fact]
    public async Task A_minute_later_an_address_is_as_fast_as_before()
    {
        await SlowAsync(Here);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.False(_throttle.IsSlow(Here));
        await AtOnceAsync(Here, "innocent");
    }

    [Fact]
    public async Task Ten_wrong_ones_in_more_than_a_minute_slow_nobody()
    {
        for (var i = 0; i < 30; i++)
        {
            (await AtOnceAsync(Here, Name(i))).Failed();
            _time.Advance(TimeSpan.FromSeconds(7));
        }
    }

    [Fact]
    public async Task What_went_wrong_is_forgotten_after_ten_minutes()
    {
        await WrongAsync(Here, "anna", 8);
        _time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal((0, 0), _throttle.Entries);
        (await AtOnceAsync(Here, "anna")).Failed();
        (await AfterAsync(Here, "anna", TimeSpan.FromSeconds(1))).Dispose();
    }

    [Fact]
    public async Task Ten_of_an_address_wait_and_the_next_is_refused_at_once()
    {
        await SlowAsync(Here);
        var waiting = Many(10, i => _throttle.EnterAsync(Here, "w" + Name(i), Now).AsTask());

        var refused = await _throttle.EnterAsync(Here, "one-more", Now);

        Assert.Equal(LoginThrottle.TooManyOfAddress, refused.Refusal);
        refused.Failed();
        refused.Dispose();
        await AtOnceAsync(There, "one-more");
        _time.Advance(TimeSpan.FromSeconds(1));
        Array.ForEach(await Task.WhenAll(waiting), t => t.Dispose());
        Assert.Equal(0, _throttle.Waiting);
    }

    [Fact]
    public async Task Ten_behind_one_user_wait_and_the_next_is_refused_at_once()
    {
        var first = await AtOnceAsync(Here, "anna");
        var waiting = Many(10, _ => _throttle.EnterAsync(Here, "anna", Now).AsTask());

        Assert.Equal(LoginThrottle.TooManyOfAddress, (await _throttle.EnterAsync(Here, "anna", Now)).Refusal);
        await AtOnceAsync(Here, "bert");

        first.Succeeded();
        foreach (var turn in waiting)
        {
            (await turn).Succeeded();
        }
    }

    [Fact]
    public async Task A_thousand_wait_and_the_next_is_refused_at_once()
    {
        for (var i = 0; i < 101; i++)
        {
            await SlowAsync(Address(i));
        }

        var waiting = Many(1_000, i => _throttle.EnterAsync(Address(i / 10), "w" + Name(i), Now).AsTask());
        Assert.Equal(1_000, _throttle.Waiting);

        Assert.Equal(LoginThrottle.TooMany, (await _throttle.EnterAsync(Address(100), "one-more", Now)).Refusal);
        await AtOnceAsync(There, "innocent");

        _time.Advance(TimeSpan.FromSeconds(1));
        Array.ForEach(await Task.WhenAll(waiting), t => t.Dispose());
        Assert.Equal(0, _throttle.Waiting);
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_his_place_to_the_next()
    {
        await WrongAsync(Here, "anna", 1);
        using var gone = new CancellationTokenSource();
        var first = _throttle.EnterAsync(Here, "anna", gone.Token).AsTask();
        var second = _throttle.EnterAsync(Here, "anna", Now).AsTask();
        Assert.Equal(2, _throttle.Waiting);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        Assert.Equal(1, _throttle.Waiting);
        Pass(TimeSpan.FromSeconds(1), second);
        (await second).Dispose();
        Assert.Equal(0, _throttle.Waiting);
    }

    [Fact]
    public async Task Who_gives_up_in_the_middle_of_the_line_does_not_move_it()
    {
        var first = await AtOnceAsync(Here, "anna");
        using var gone = new CancellationTokenSource();
        var second = _throttle.EnterAsync(Here, "anna", gone.Token).AsTask();
        var third = _throttle.EnterAsync(Here, "anna", Now).AsTask();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        Assert.False(third.IsCompleted);
        first.Failed();
        Pass(TimeSpan.FromSeconds(1), third);
        (await third).Dispose();
    }

    [Fact]
    public async Task A_turn_that_ends_without_a_result_counts_for_nothing()
    {
        (await AtOnceAsync(Here, "anna")).Dispose();

        Assert.Equal((0, 0), _throttle.Entries);
        await AtOnceAsync(Here, "anna");
    }

    [Fact]
    public async Task A_turn_ends_once()
    {
        var turn = await AtOnceAsync(Here, "anna");
        turn.Failed();
        turn.Succeeded();
        turn.Dispose();

        (await AfterAsync(Here, "anna", TimeSpan.FromSeconds(1))).Dispose();
    }

    [Fact]
    public async Task Entries_are_bounded_and_the_oldest_is_forgotten_first()
    {
        for (var i = 0; i <= LoginThrottle.MostEntries; i++)
        {
            (await AtOnceAsync(Address(i), Name(i))).Failed();
        }

        Assert.Equal((10_000, 10_000), _throttle.Entries);
        await AtOnceAsync(Address(0), Name(0));
        (await AfterAsync(Address(1), Name(1), TimeSpan.FromSeconds(1))).Dispose();
    }

    [Fact]
    public async Task An_address_is_the_same_in_both_its_forms()
    {
        await WrongAsync(Here, "anna", 1);

        (await AfterAsync(Here.MapToIPv6(), "anna", TimeSpan.FromSeconds(1))).Dispose();
    }

    [Fact]
    public async Task Names_that_no_user_can_have_count_together()
    {
        var longName = new string('x', 60_000);
        (await AtOnceAsync(Here, longName + "1")).Failed();

        (await AfterAsync(Here, longName + "2", TimeSpan.FromSeconds(1))).Dispose();
    }

    [Fact]
    public async Task A_client_that_has_gone_already_is_not_counted()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _throttle.EnterAsync(Here, "anna", new CancellationToken(true)).AsTask());

        Assert.Equal(0, _throttle.Waiting);
        await AtOnceAsync(Here, "anna");
    }

    private async Task<LoginTurn> AtOnceAsync(IPAddress address, string user)
    {
        var entering = _throttle.EnterAsync(address, user, Now).AsTask();
        Assert.True(entering.IsCompletedSuccessfully, $"{user} from {address} waits");
        var turn = await entering;
        Assert.Null(turn.Refusal);
        Assert.False(turn.HasWaited);
        return turn;
    }

    private async Task<LoginTurn> AfterAsync(IPAddress address, string user, TimeSpan wait)
    {
        var entering = _throttle.EnterAsync(address, user, Now).AsTask();
        if (wait > TimeSpan.Zero)
        {
            Assert.False(entering.IsCompleted);
            Pass(wait, entering);
        }

        return await entering;
    }

    // Not a moment before, and then for sure.
    private void Pass(TimeSpan wait, Task<LoginTurn> entering)
    {
        var waiting = _throttle.Waiting;
        _time.Advance(wait - TimeSpan.FromMilliseconds(1));
        Assert.False(entering.IsCompleted);
        Assert.Equal(waiting, _throttle.Waiting);
        _time.Advance(TimeSpan.FromMilliseconds(1));
    }

    private async Task WrongAsync(IPAddress address, string user, int times)
    {
        for (var i = 0; i < times; i++)
        {
            (await AfterAsync(address, user, i == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(30, Math.Pow(2, i - 1))))).Failed();
        }
    }

    private async Task SlowAsync(IPAddress address)
    {
        for (var i = 0; i < LoginThrottle.WrongOfAddress; i++)
        {
            (await AtOnceAsync(address, Name(i))).Failed();
        }
    }

    private static Task<LoginTurn>[] Many(int count, Func<int, Task<LoginTurn>> enter) => [.. Enumerable.Range(0, count).Select(enter)];

    private static IPAddress Address(int number) => new([10, 1, (byte)(number >> 8), (byte)number]);

    private static string Name(int number) => "user-" + number.ToString(CultureInfo.InvariantCulture);
}
