using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class CredentialsTests : IDisposable
{
    private static readonly IPAddress Here = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress There = IPAddress.Parse("10.0.0.2");
    private readonly FakeTimeProvider _time = new();
    private readonly LoginThrottle _throttle;
    private readonly Credentials _credentials;
    private volatile Users _users = Users.None;

    public CredentialsTests()
    {
        _throttle = new LoginThrottle(_time);
        _credentials = new Credentials(() => _users, _throttle);
        Give(("anna", "a"), ("bert", "b"));
    }

    public void Dispose() => _credentials.Dispose();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_right_password_is_right()
    {
        Assert.Equal(LoginResult.Right, await CheckAsync(Here, "anna", "a"));
        Assert.Equal(LoginResult.Right, await CheckAsync(Here, "bert", "b"));
    }

    [Theory]
    [InlineData("anna", "b")]
    [InlineData("anna", "")]
    [InlineData("anna", "aa")]
    [InlineData("Anna", "a")]
    [InlineData("carl", "a")]
    [InlineData("", "a")]
    [InlineData("ann", "aa")]
    public async Task All_else_is_wrong_and_nobody_is_told_which(string user, string password)
    {
        await CheckAsync(Here, "anna", "a");

        Assert.Equal(LoginResult.Wrong, await CheckAsync(Here, user, password));
    }

    [Fact]
    public async Task A_user_who_is_not_there_costs_a_hash_as_well()
    {
        await CheckAsync(Here, "carl", "a");

        Assert.Equal(1, _credentials.Hashes);
    }

    [Fact]
    public async Task A_right_password_that_comes_again_costs_no_hash_from_anywhere()
    {
        await CheckAsync(Here, "anna", "a");

        var again = CheckAsync(There, "anna", "a").AsTask();

        Assert.True(again.IsCompletedSuccessfully);
        Assert.Equal(LoginResult.Right, await again);
        Assert.Equal(1, _credentials.Hashes);
    }

    [Fact]
    public async Task One_who_was_right_is_not_slowed_by_the_wrong_ones_of_others()
    {
        await CheckAsync(Here, "anna", "a");
        for (var i = 0; i < LoginThrottle.WrongOfAddress; i++)
        {
            await CheckAsync(Here, $"guess-{i}", "x");
        }

        var wrong = _credentials.CheckAsync(Here, "anna", "guess"u8.ToArray(), Now).AsTask();

        Assert.False(wrong.IsCompleted);
        Assert.True(CheckAsync(Here, "anna", "a").AsTask().IsCompletedSuccessfully);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(LoginResult.Wrong, await wrong);
    }

    [Fact]
    public async Task A_wrong_password_is_slow_to_try_twice()
    {
        await CheckAsync(Here, "anna", "x");
        var again = _credentials.CheckAsync(Here, "anna", "x"u8.ToArray(), Now).AsTask();
        Assert.False(again.IsCompleted);
        Assert.Equal(1, _throttle.Waiting);

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(LoginResult.Wrong, await again);
        Assert.Equal(2, _credentials.Hashes);
    }

    [Fact]
    public async Task A_new_password_ends_the_old_one_at_once()
    {
        await CheckAsync(Here, "anna", "a");
        await CheckAsync(Here, "bert", "b");

        Give(("anna", "new"), ("bert", "b"));

        Assert.Equal(LoginResult.Wrong, await CheckAsync(Here, "anna", "a"));
        Assert.Equal(LoginResult.Right, await CheckAsync(There, "anna", "new"));
    }

    [Fact]
    public async Task A_user_who_is_removed_does_not_come_in_again()
    {
        await CheckAsync(Here, "anna", "a");

        _users = Users.None;

        Assert.Equal(LoginResult.Wrong, await CheckAsync(Here, "anna", "a"));
    }

    [Fact]
    public async Task A_file_that_is_read_again_with_the_same_lines_costs_no_hash()
    {
        await CheckAsync(Here, "anna", "a");
        var line = _users.Find("anna")!.ToLine();
        Assert.True(PasswordHash.TryParse(line, out var same, out _));

        _users = new Users(new Dictionary<string, PasswordHash> { ["anna"] = same });

        Assert.Equal(LoginResult.Right, await CheckAsync(Here, "anna", "a"));
        Assert.Equal(1, _credentials.Hashes);
    }

    [Fact]
    public async Task Many_who_come_at_once_with_the_same_right_password_are_one_try()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => CheckAsync(Here, "anna", "a").AsTask()));

        Assert.All(results, r => Assert.True(r.IsRight));
        Assert.Equal(1, _credentials.Hashes);
    }

    [Fact]
    public async Task Many_who_come_at_once_with_different_right_passwords_all_come_in()
    {
        Give([.. Enumerable.Range(0, 200).Select(i => ($"device-{i}", $"p{i}"))]);

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => CheckAsync(Here, $"device-{i}", $"p{i}").AsTask()));

        Assert.All(results, r => Assert.True(r.IsRight));
    }

    [Fact]
    public async Task A_crowd_with_wrong_passwords_is_refused_once_ten_were_seen_to_be_wrong()
    {
        var crowd = Enumerable.Range(0, 500).Select(i => CheckAsync(Here, $"guess-{i}", "x").AsTask()).ToArray();

        _time.Advance(TimeSpan.FromSeconds(1));
        var results = await Task.WhenAll(crowd);

        // Those who came when ten had been seen already waited for a second, ten of them, and were looked at then.
        Assert.DoesNotContain(results, r => r.IsRight);
        Assert.Contains(results, r => r.Reason == LoginThrottle.TooManyOfAddress);
        Assert.InRange(_credentials.Hashes, 10, 10 + LoginThrottle.MostWaitingOfAddress + Environment.ProcessorCount);
    }

    [Fact]
    public async Task Those_who_wait_with_the_same_wrong_password_are_bounded_too()
    {
        await CheckAsync(Here, "anna", "x");
        var waiting = Enumerable.Range(0, 10).Select(_ => CheckAsync(Here, "anna", "x").AsTask()).ToArray();
        Assert.Equal(10, _throttle.Waiting);

        Assert.Equal(LoginResult.Refused(LoginThrottle.TooManyOfAddress), await CheckAsync(Here, "anna", "x"));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.All(await Task.WhenAll(waiting), r => Assert.Equal(LoginResult.Wrong, r));
        Assert.Equal(2, _credentials.Hashes);
        Assert.Equal(0, _throttle.Waiting);
    }

    [Fact]
    public async Task Who_gives_up_ends_the_try_of_nobody_else()
    {
        await CheckAsync(Here, "anna", "x");
        using var gone = new CancellationTokenSource();
        var first = _credentials.CheckAsync(Here, "anna", "a"u8.ToArray(), gone.Token).AsTask();
        var second = CheckAsync(Here, "anna", "a").AsTask();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(LoginResult.Right, await second);
    }

    [Fact]
    public async Task When_all_have_given_up_nothing_is_looked_at_and_no_place_is_taken()
    {
        await CheckAsync(Here, "anna", "x");
        using var gone = new CancellationTokenSource();
        var both = Enumerable.Range(0, 2).Select(_ => _credentials.CheckAsync(Here, "anna", "a"u8.ToArray(), gone.Token).AsTask()).ToArray();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(both));

        Assert.Equal(LoginResult.Right, await PassUntilAsync(CheckAsync(Here, "anna", "a").AsTask()));
        Assert.Equal(2, _credentials.Hashes);
        Assert.Equal(0, _throttle.Waiting);
    }

    [Fact]
    public async Task The_password_may_change_in_its_buffer_once_the_check_has_begun()
    {
        var password = "a"u8.ToArray();
        var check = _credentials.CheckAsync(Here, "anna", password, Now).AsTask();
        password[0] = 0;

        Assert.Equal(LoginResult.Right, await check);
    }

    [Fact]
    public void One_who_is_not_there_takes_as_long_as_one_of_those_who_are()
    {
        var users = new Users(new Dictionary<string, PasswordHash> { ["a"] = PasswordHash.OfNobody(101), ["b"] = PasswordHash.OfNobody(5_000) });

        Assert.Equal([101, 5_000], Enumerable.Range(0, 50).Select(i => users.IterationsLike((uint)i)).Distinct().Order());
        Assert.Equal(users.IterationsLike(uint.MaxValue), users.IterationsLike(uint.MaxValue));
        Assert.Equal(PasswordHash.OwnIterations, Users.None.IterationsLike(7));
    }

    private ValueTask<LoginResult> CheckAsync(IPAddress address, string user, string password) =>
        _credentials.CheckAsync(address, user, Encoding.UTF8.GetBytes(password), Now);

    // What waits begins to wait on another thread: time passes until it has.
    private async Task<T> PassUntilAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        return await task;
    }

    private void Give(params (string User, string Password)[] users) =>
        _users = new Users(users.ToDictionary(u => u.User, u => PasswordHash.Of(Encoding.UTF8.GetBytes(u.Password), iterations: 3)));
}
