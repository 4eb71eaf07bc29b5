using EdgeOrleans.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class AccessFilesTests : IDisposable
{
    private const string Hash = "$7$1$i4vQWskBvF4P+88q$6GwFMpDLj72Azc5GUmKY9SOfO7cRi5c5k6hVaXo3WSaus28xjV0OWObpkX23s27WAGohUgY8HQiAvfSBAOJYIA==";
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);
    private static readonly AccessIdentity Anna = Acl.User("anna");

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Sentences _log = new();
    private readonly List<AccessFiles> _started = [];

    public void Dispose()
    {
        _started.ForEach(f => f.Dispose());
        _folder.Dispose();
    }

    private string UsersPath => _folder.PathOf("users");

    private string RulesPath => _folder.PathOf("rules.acl");

    [Fact]
    public void Files_that_are_there_are_in_force_from_the_start()
    {
        Write(UsersPath, $"anna:{Hash}\n");
        Write(RulesPath, "user anna\ntopic read a\n");

        var files = Start();

        Assert.Equal(1, files.Current.Version);
        Assert.NotNull(files.Current.Users.Find("anna"));
        Assert.True(files.Current.Rules.MaySubscribe(Anna, "a"));
        Assert.False(files.Current.Rules.MaySubscribe(Anna, "b"));
    }

    [Fact]
    public void Without_a_file_of_rules_the_default_rules_are_in_force_and_without_users_there_are_none()
    {
        var files = Start(users: "", rules: "");

        Assert.IsType<DefaultRules>(files.Current.Rules);
        Assert.Equal(0, files.Current.Users.Count);
        _time.Advance(Poll);
        Assert.Equal(1, files.Current.Version);
    }

    [Theory]
    [InlineData(null, "topic a", "users: there is no such file")]
    [InlineData("anna:" + Hash, null, "rules.acl: there is no such file")]
    [InlineData("anna", "topic a", "users, line 1: ")]
    [InlineData("anna:" + Hash, "tropic a", "rules.acl, line 1: ")]
    public void A_start_with_a_missing_or_wrong_file_is_refused_with_a_sentence(string? users, string? rules, string part)
    {
        if (users is not null)
        {
            Write(UsersPath, users);
        }

        if (rules is not null)
        {
            Write(RulesPath, rules);
        }

        Assert.Contains(part, Assert.Throws<StartRefusedException>(() => Start()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_is_in_force_at_the_next_look_and_is_told()
    {
        var files = StartBoth();
        var told = new List<AccessState>();
        files.Changed += told.Add;

        Write(RulesPath, "user anna\ntopic read b\n");
        _time.Advance(Poll);

        Assert.True(files.Current.Rules.MaySubscribe(Anna, "b"));
        Assert.Equal(2, files.Current.Version);
        Assert.Same(files.Current, Assert.Single(told));
    }

    [Fact]
    public void Nothing_is_told_while_nothing_changes()
    {
        var files = StartBoth();
        files.Changed += _ => Assert.Fail("nothing has changed");
        for (var i = 0; i < 5; i++)
        {
            File.SetLastWriteTimeUtc(UsersPath, DateTime.UnixEpoch.AddDays(i));
            _time.Advance(Poll);
        }

        Assert.Equal(1, files.Current.Version);
    }

    [Fact]
    public void A_second_change_with_the_same_time_and_length_is_seen()
    {
        var files = StartBoth();
        var then = File.GetLastWriteTimeUtc(RulesPath);
        Write(RulesPath, "user anna\ntopic read b\n");
        File.SetLastWriteTimeUtc(RulesPath, then);

        _time.Advance(Poll);

        Assert.True(files.Current.Rules.MaySubscribe(Anna, "b"));
    }

    [Fact]
    public void A_broken_change_leaves_the_old_in_force_and_is_said_once()
    {
        var files = StartBoth();
        Write(RulesPath, "user anna\ntropic read b\n");
        Write(UsersPath, "anna:geheim\n");

        _time.Advance(Poll);
        _time.Advance(Poll);
        _time.Advance(Poll);

        Assert.True(files.Current.Rules.MaySubscribe(Anna, "a"));
        Assert.NotNull(files.Current.Users.Find("anna"));
        Assert.Equal(1, files.Current.Version);
        Assert.Contains("rules.acl, line 2: ", files.Current.RulesError, StringComparison.Ordinal);
        Assert.Contains("users, line 1: ", files.Current.UsersError, StringComparison.Ordinal);
        Assert.Equal(2, _log.Errors.Count);
        Assert.DoesNotContain(_log.Errors, e => e.Contains("geheim", StringComparison.Ordinal));
    }

    [Fact]
    public void A_good_change_after_a_broken_one_is_in_force()
    {
        var files = StartBoth();
        Write(RulesPath, "x\n");
        _time.Advance(Poll);

        Write(RulesPath, "user anna\ntopic read c\n");
        _time.Advance(Poll);

        Assert.Null(files.Current.RulesError);
        Assert.True(files.Current.Rules.MaySubscribe(Anna, "c"));
    }

    [Fact]
    public void The_users_are_taken_although_the_rules_are_broken()
    {
        var files = StartBoth();
        Write(RulesPath, "x\n");
        Write(UsersPath, $"anna:{Hash}\nbert:{Hash}\n");

        _time.Advance(Poll);

        Assert.Equal(2, files.Current.Users.Count);
        Assert.NotNull(files.Current.RulesError);
        Assert.Null(files.Current.UsersError);
    }

    [Fact]
    public void A_file_that_goes_away_leaves_the_old_in_force_until_it_is_there_again()
    {
        var files = StartBoth();
        File.Delete(UsersPath);
        _time.Advance(Poll);
        _time.Advance(Poll);

        Assert.NotNull(files.Current.Users.Find("anna"));
        Assert.Contains("no such file", files.Current.UsersError, StringComparison.Ordinal);
        Assert.Single(_log.Errors);

        Write(UsersPath, $"anna:{Hash}\n");
        _time.Advance(Poll);

        Assert.Null(files.Current.UsersError);
        Assert.NotNull(files.Current.Users.Find("anna"));
    }

    [Fact]
    public void A_folder_whose_link_is_put_elsewhere_is_a_change()
    {
        _folder.Write("one/rules", "user anna\ntopic read a\n");
        _folder.Write("two/rules", "user anna\ntopic read b\n");
        var now = _folder.PathOf("now");
        Directory.CreateSymbolicLink(now, _folder.PathOf("one"));
        File.CreateSymbolicLink(RulesPath, Path.Combine(now, "rules"));
        var files = Start(users: "");

        Directory.Delete(now);
        Directory.CreateSymbolicLink(now, _folder.PathOf("two"));
        _time.Advance(Poll);

        Assert.True(files.Current.Rules.MaySubscribe(Anna, "b"));
    }

    [Fact]
    public async Task A_change_is_seen_by_watching_without_a_look()
    {
        Write(UsersPath, $"anna:{Hash}\n");
        Write(RulesPath, "");
        var files = Start(time: new WithoutPeriods());
        var told = new Arrivals<AccessState>();
        files.Changed += told.Add;

        Write(UsersPath, $"anna:{Hash}\nbert:{Hash}\n");

        await told.FirstAsync(s => s.Users.Find("bert") is not null, "state with bert");
    }

    [Fact]
    public async Task A_user_who_is_added_or_removed_is_so_at_once()
    {
        var files = StartBoth();

        Assert.True(await files.SetUserAsync("bert", "b"u8.ToArray()));
        Assert.True(files.Current.Users.Find("bert")!.Verify("b"u8));
        Assert.False(await files.SetUserAsync("bert", "c"u8.ToArray()));
        Assert.True(files.Current.Users.Find("bert")!.Verify("c"u8));
        Assert.True(await files.RemoveUserAsync("bert"));
        Assert.Null(files.Current.Users.Find("bert"));
        Assert.False(await files.RemoveUserAsync("bert"));

        Assert.Equal(4, files.Current.Version);
    }

    [Fact]
    public async Task Changes_that_cannot_be_made_are_refused_with_a_sentence()
    {
        var none = Start(users: "", rules: "");
        Assert.Equal(409, (await Assert.ThrowsAsync<RefusedException>(() => none.SetUserAsync("a", "b"u8.ToArray()))).Code);

        var files = StartBoth();
        Assert.Equal(400, (await Assert.ThrowsAsync<RefusedException>(() => files.SetUserAsync("node", "b"u8.ToArray()))).Code);
        Write(UsersPath, "broken");
        Assert.Equal(503, (await Assert.ThrowsAsync<RefusedException>(() => files.RemoveUserAsync("anna"))).Code);
    }

    [Fact]
    public void One_who_cannot_be_told_stops_nothing()
    {
        var files = StartBoth();
        files.Changed += _ => throw new InvalidOperationException("no");

        Write(RulesPath, "");
        _time.Advance(Poll);
        Write(RulesPath, "user anna\ntopic read c\n");
        _time.Advance(Poll);

        Assert.True(files.Current.Rules.MaySubscribe(Anna, "c"));
    }

    [Fact]
    public void After_its_end_nothing_is_looked_at()
    {
        var files = StartBoth();
        files.Dispose();

        Write(RulesPath, "");
        _time.Advance(Poll);
        files.Check();

        Assert.Equal(1, files.Current.Version);
    }

    [Fact]
    public void Hashes_that_everybody_can_read_are_warned_of()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no modes");
        Write(UsersPath, $"anna:{Hash}\n");
        Write(RulesPath, "");
        SetMode(UsersPath, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Start();

        Assert.Contains("chmod 600", Assert.Single(_log.Warnings), StringComparison.Ordinal);
    }

    private AccessFiles StartBoth()
    {
        Write(UsersPath, $"anna:{Hash}\n");
        Write(RulesPath, "user anna\ntopic read a\n");
        return Start();
    }

    private AccessFiles Start(string? users = null, string? rules = null, TimeProvider? time = null)
    {
        var files = new AccessFiles(users ?? UsersPath, rules ?? RulesPath, "node", time ?? _time, _log);
        _started.Add(files);
        files.Start();
        return files;
    }

    private static void Write(string path, string text) => File.WriteAllText(path, text);

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    /// <summary>The clock of the machine, in which nothing comes again and again.</summary>
    private sealed class WithoutPeriods : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, period == Timeout.InfiniteTimeSpan ? dueTime : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private sealed class Sentences : ILogger<AccessFiles>
    {
        private readonly Lock _sync = new();
        private readonly List<(LogLevel Level, string Text)> _all = [];

        public List<string> Errors => Of(LogLevel.Error);

        public List<string> Warnings => Of(LogLevel.Warning);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_sync)
            {
                _all.Add((logLevel, formatter(state, exception)));
            }
        }

        private List<string> Of(LogLevel level)
        {
            lock (_sync)
            {
                return [.. _all.Where(s => s.Level == level).Select(s => s.Text)];
            }
        }
    }
}
