using Microsoft.Extensions.Logging;

namespace EdgeOrleans.DbManager;

public sealed class DatabaseFileTests : IDisposable
{
    private readonly TempDatabase _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task A_new_database_has_the_version_of_the_last_script()
    {
        var version = await _temp.Database.ReadAsync(db => db.Query("PRAGMA user_version", r => r.GetInt64(0))[0]);
        Assert.Equal(SchemaScripts.All.Count, version);
    }

    [Fact]
    public void The_number_of_a_script_is_its_place() => Assert.Equal(
        Enumerable.Range(1, SchemaScripts.All.Count).Select(n => $"{n:0000}"), SchemaScripts.Names().Select(name => name[..4]));

    [Fact]
    public async Task Every_commit_waits_for_the_disk()
    {
        var settings = await _temp.Database.RunAsync(db => db.Query("PRAGMA synchronous", r => r.GetInt64(0))[0]);
        var journal = await _temp.Database.ReadAsync(db => db.Query("PRAGMA journal_mode", r => r.GetString(0))[0]);
        Assert.Equal((2, "wal"), (settings, journal));
    }

    [Fact]
    public async Task A_database_of_an_older_version_gets_the_scripts_it_lacks_and_keeps_its_rows()
    {
        using (var db = Raw())
        {
            SchemaScripts.Apply(db, [SchemaScripts.All[0]], _temp.Path);
            db.Execute("INSERT INTO grain_state VALUES('s', 'i', 1, 1, 0, x'00')");
        }

        Assert.Equal(1, await _temp.Database.ReadAsync(db => db.Query("SELECT count(*) FROM grain_state", r => r.GetInt64(0))[0]));
        Assert.Equal(0, await _temp.Database.ReadAsync(db => db.Query("SELECT count(*) FROM outbox", r => r.GetInt64(0))[0]));
    }

    [Fact]
    public void A_script_that_fails_leaves_the_version_as_it_was()
    {
        using var db = Raw();
        Assert.Throws<SqlException>(() => SchemaScripts.Apply(db, ["CREATE TABLE a(x)", "CREATE TABLE a(x)"], "file"));
        db.RunScript("ROLLBACK");
        Assert.Equal(0, db.Query("PRAGMA user_version", r => r.GetInt64(0))[0]);
        Assert.Empty(db.Query("SELECT name FROM sqlite_schema", r => r.GetString(0)));
    }

    [Fact]
    public void A_database_of_a_newer_version_is_refused_with_a_sentence_and_left_alone()
    {
        using (var db = Raw())
        {
            db.RunScript("PRAGMA user_version=99");
        }

        var error = Assert.Throws<StartRefusedException>(() => _temp.Database);

        Assert.Contains("schema version 99", error.Message, StringComparison.Ordinal);
        Assert.Equal([DbManagerOptions.FileName], Directory.GetFiles(_temp.Folder).Select(Path.GetFileName).Where(f => !f!.EndsWith("-wal") && !f.EndsWith("-shm")));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_set_aside_whole_and_the_node_starts_clean_and_loudly()
    {
        File.WriteAllText(_temp.Path, new string('z', 10_000));
        File.WriteAllText(_temp.Path + "-wal", "log");

        Assert.Equal(0, await CountAsync());

        Assert.Contains(Directory.GetFiles(_temp.Folder), f => f.Contains(".damaged-") && new FileInfo(f).Length == 10_000);
        Assert.Contains(_temp.Log.Lines, l => l.Level == LogLevel.Error && l.Text.Contains("set aside", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_was_cut_short_is_set_aside()
    {
        await FillAsync();
        using (var file = File.OpenWrite(_temp.Path))
        {
            file.SetLength(file.Length / 2);
        }

        Assert.Equal(0, await CountAsync());
        Assert.Contains(Directory.GetFiles(_temp.Folder), f => f.Contains(".damaged-"));
    }

    [Fact]
    public async Task A_broken_writer_that_cannot_be_opened_anew_fails_its_changes_until_it_can()
    {
        await _temp.Database.RunAsync(db => { db.Execute("CREATE TABLE t(a)"); });
        typeof(Database).GetField("_broken", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.SetValue(_temp.Database, true);
        foreach (var file in Directory.GetFiles(_temp.Folder))
        {
            File.Delete(file);
        }

        Directory.CreateDirectory(_temp.Path);
        await Assert.ThrowsAsync<DatabaseFailedException>(() => _temp.Database.RunAsync(db => { db.Execute("SELECT 1"); }));
        await Assert.ThrowsAsync<DatabaseFailedException>(() => _temp.Database.RunAsync(db => { db.Execute("SELECT 1"); }));

        Directory.Delete(_temp.Path);
        await _temp.Database.RunAsync(db => { db.Execute("CREATE TABLE again(a)"); });
    }

    [Fact]
    public async Task Damage_met_while_running_makes_the_next_start_look_at_the_whole_file()
    {
        await FillAsync();
        using (var file = File.OpenWrite(_temp.Path))
        {
            file.Position = file.Length - (4096 * 20);
            file.Write(new byte[4096 * 20]);
        }

        var error = await Assert.ThrowsAsync<DatabaseFailedException>(() => _temp.Database.ReadAsync(db => db.Query("SELECT payload FROM grain_state", r => r.GetBytes(0))));
        Assert.Contains("damaged", error.Message, StringComparison.Ordinal);
        _temp.Close();

        Assert.Equal(0, await CountAsync());
        Assert.Contains(Directory.GetFiles(_temp.Folder), f => f.Contains(".damaged-"));
        Assert.DoesNotContain(Directory.GetFiles(_temp.Folder), f => f.EndsWith(".suspect", StringComparison.Ordinal));
    }

    [Fact]
    public void A_second_opener_of_a_data_folder_is_refused_with_a_sentence_that_names_the_first()
    {
        using var first = DataFolderLock.Acquire(_temp.Folder);

        var error = Assert.Throws<StartRefusedException>(() => DataFolderLock.Acquire(_temp.Folder));

        Assert.Contains($"in use by process {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_folder_is_free_again_once_it_was_let_go()
    {
        DataFolderLock.Acquire(_temp.Folder).Dispose();
        DataFolderLock.Acquire(_temp.Folder).Dispose();
    }

    [Fact]
    public void A_data_folder_that_can_not_be_made_is_refused_with_a_sentence()
    {
        var file = Path.Combine(_temp.Folder, "file");
        File.WriteAllText(file, "");

        Assert.Contains("cannot be made", Assert.Throws<StartRefusedException>(() => DataFolderLock.Acquire(file)).Message, StringComparison.Ordinal);
    }

    private async Task FillAsync()
    {
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(i => _temp.Database.RunAsync(db =>
            db.Execute("INSERT INTO grain_state VALUES('s', ?1, 1, 1, 0, ?2)", $"{i:0000}", new byte[100]))));
        _temp.Close();
    }

    private Task<long> CountAsync() => _temp.Database.ReadAsync(db => db.Query("SELECT count(*) FROM grain_state", r => r.GetInt64(0))[0]);

    private DbSession Raw() => new DatabaseFile(new DbManagerOptions { DataFolder = _temp.Folder }, TimeProvider.System, _temp.Log).OpenBare();
}
