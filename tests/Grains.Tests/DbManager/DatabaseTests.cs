using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.DbManager;

public sealed class DatabaseTests : IDisposable
{
    private readonly TempDatabase _temp = new();

    private Database Database => _temp.Database;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_change_fails_before_Orleans_gives_the_call_up_and_repeats_it()
    {
        var range = typeof(DbManagerOptions).GetProperty(nameof(DbManagerOptions.CommitTimeout))!
            .GetCustomAttributes(true).OfType<System.ComponentModel.DataAnnotations.RangeAttribute>().Single();
        var most = TimeSpan.Parse((string)range.Maximum, System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(most + TimeSpan.FromSeconds(10) <= new Orleans.Configuration.SiloMessagingOptions().ResponseTimeout);
    }

    [Fact]
    public async Task Operations_are_committed_in_the_order_they_came()
    {
        await MakeTableAsync();

        await Task.WhenAll(Enumerable.Range(0, 3000).Select(i => Database.RunAsync(db => db.Execute("INSERT INTO t(name) VALUES(?1)", $"{i}"))));

        Assert.Equal(Enumerable.Range(0, 3000).Select(i => $"{i}"), await NamesAsync());
    }

    [Fact]
    public async Task A_caller_hears_of_its_change_after_every_reader_can_see_it()
    {
        await MakeTableAsync();
        for (var i = 0; i < 50; i++)
        {
            await Database.RunAsync(db => db.Execute("INSERT INTO t(name) VALUES(?1)", $"{i}"));
            Assert.Equal(i + 1, (await NamesAsync()).Count);
        }
    }

    [Fact]
    public async Task An_operation_that_fails_half_way_leaves_nothing_and_its_neighbours_stay()
    {
        await MakeTableAsync();
        using var busy = new BusyWriter(Database);

        var before = Insert("before");
        var failing = Database.RunAsync(db =>
        {
            db.Execute("INSERT INTO t(name) VALUES('half')");
            db.Execute("INSERT INTO t(name) VALUES('before')");
        });
        var after = Insert("after");
        busy.Release();

        await Assert.ThrowsAsync<SqlException>(() => failing);
        await Task.WhenAll(before, after);
        Assert.Equal(["before", "after"], await NamesAsync());
    }

    [Fact]
    public async Task An_operation_whose_first_statement_fails_fails_alone()
    {
        await MakeTableAsync();
        using var busy = new BusyWriter(Database);

        var first = Insert("same");
        var second = Insert("same");
        var third = Insert("other");
        busy.Release();

        await Task.WhenAll(first, third);
        var error = await Assert.ThrowsAsync<SqlException>(() => second);
        Assert.Contains("UNIQUE", error.Message, StringComparison.Ordinal);
        Assert.Equal(["same", "other"], await NamesAsync());
    }

    [Fact]
    public async Task Whatever_an_operation_throws_reaches_its_caller_as_it_is()
    {
        await MakeTableAsync();

        await Assert.ThrowsAsync<RefusedException>(() => Database.RunAsync(db =>
        {
            db.Execute("INSERT INTO t(name) VALUES('x')");
            throw new RefusedException(409, "no");
        }));

        Assert.Empty(await NamesAsync());
        await Insert("y");
    }

    [Fact]
    public async Task A_full_disk_refuses_changes_keeps_what_is_there_and_heals_when_there_is_room()
    {
        await MakeTableAsync();
        await Insert("kept");
        await Database.RunRawAsync("PRAGMA max_page_count=20");

        var error = await Assert.ThrowsAsync<DatabaseFailedException>(() => Insert(new string('x', 200_000)));

        Assert.Contains("no space left", error.Message, StringComparison.Ordinal);
        Assert.Equal(["kept"], await NamesAsync());
        Assert.Single(_temp.Log.Lines, l => l.Text.Contains("takes no changes", StringComparison.Ordinal));

        await Database.RunRawAsync("PRAGMA max_page_count=1000000");
        await Insert(new string('x', 200_000));
        Assert.Equal(2, (await NamesAsync()).Count);
        Assert.Single(_temp.Log.Lines, l => l.Text.Contains("takes changes again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_full_disk_fails_all_of_a_commit_and_leaves_nothing_of_it()
    {
        await MakeTableAsync();
        await Database.RunRawAsync("PRAGMA max_page_count=20");
        using var busy = new BusyWriter(Database);

        var small = Insert("small");
        var large = Insert(new string('x', 200_000));
        busy.Release();

        await Assert.ThrowsAsync<DatabaseFailedException>(() => small);
        await Assert.ThrowsAsync<DatabaseFailedException>(() => large);
        Assert.Empty(await NamesAsync());
    }

    [Fact]
    public async Task A_disk_that_does_not_answer_is_told_to_everyone_who_waits()
    {
        var time = new FakeTimeProvider();
        using var temp = new TempDatabase(o => o.CommitTimeout = TimeSpan.FromSeconds(10), time);
        await temp.Database.RunAsync(db => db.Execute("CREATE TABLE t(name TEXT)"));
        using var busy = new BusyWriter(temp.Database);
        var behind = temp.Database.RunAsync(db => db.Execute("INSERT INTO t(name) VALUES('late')"));

        time.Advance(TimeSpan.FromSeconds(10));

        var error = await Assert.ThrowsAsync<DatabaseFailedException>(() => behind);
        Assert.Contains("did not answer within 10 s", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DatabaseFailedException>(() => busy.Done);

        busy.Release();
        await temp.Database.RunAsync(db => db.Execute("INSERT INTO t(name) VALUES('next')"));
        Assert.Equal(["next"], await temp.Database.ReadAsync(db => db.Query("SELECT name FROM t", r => r.GetString(0))));
    }

    [Fact]
    public async Task Who_comes_when_all_places_are_taken_waits_for_room()
    {
        using var temp = new TempDatabase(o => o.MaxWaiting = 2);
        await temp.Database.RunAsync(db => db.Execute("CREATE TABLE t(name TEXT)"));
        using var busy = new BusyWriter(temp.Database);

        var inserts = Enumerable.Range(0, 10).Select(i => temp.Database.RunAsync(db => db.Execute("INSERT INTO t(name) VALUES(?1)", $"{i}"))).ToArray();
        busy.Release();

        await Task.WhenAll(inserts);
        Assert.Equal(10, await temp.Database.ReadAsync(db => db.Query("SELECT count(*) FROM t", r => r.GetInt64(0))[0]));
    }

    [Fact]
    public async Task What_waits_is_written_before_the_file_is_closed()
    {
        await MakeTableAsync();
        using var busy = new BusyWriter(Database);
        var inserts = Enumerable.Range(0, 100).Select(i => Insert($"{i}")).ToArray();

        busy.Release();
        _temp.Close();

        Assert.All(inserts, i => Assert.True(i.IsCompletedSuccessfully));
        Assert.Equal(100, (await NamesAsync()).Count);
        Assert.False(File.Exists(_temp.Path + "-wal") && new FileInfo(_temp.Path + "-wal").Length > 0 && !File.Exists(_temp.Path));
    }

    [Fact]
    public async Task A_read_is_one_picture_though_others_write_meanwhile()
    {
        await MakeTableAsync();
        var (first, second) = await Database.ReadAsync(db =>
        {
            var before = db.Query("SELECT count(*) FROM t", r => r.GetInt64(0))[0];
            Insert("meanwhile").Wait();
            return (before, db.Query("SELECT count(*) FROM t", r => r.GetInt64(0))[0]);
        });

        Assert.Equal(first, second);
    }

    [Fact]
    public async Task A_reader_can_not_write()
    {
        await MakeTableAsync();
        await Assert.ThrowsAsync<DatabaseFailedException>(() => Database.ReadAsync(db => db.Execute("INSERT INTO t(name) VALUES('x')")));
    }

    private Task<int> MakeTableAsync() => Database.RunAsync(db => db.Execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE)"));

    private Task<int> Insert(string name) => Database.RunAsync(db => db.Execute("INSERT INTO t(name) VALUES(?1)", name));

    private Task<List<string>> NamesAsync() => Database.ReadAsync(db => db.Query("SELECT name FROM t ORDER BY id", r => r.GetString(0)));
}

/// <summary>Keeps the writer inside one operation, so that what is enqueued meanwhile is sure to be behind it.</summary>
internal sealed class BusyWriter : IDisposable
{
    private readonly ManualResetEventSlim _release = new();

    public BusyWriter(Database database)
    {
        using var entered = new ManualResetEventSlim();
        Done = database.RunAsync(_ =>
        {
            entered.Set();
            _release.Wait();
        });
        entered.Wait();
    }

    public Task Done { get; }

    public void Release() => _release.Set();

    public void Dispose() => _release.Set();
}
