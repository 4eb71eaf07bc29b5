using System.Text;
using System.Text.Json;
using EdgeOrleans.DbManager;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Link;

public sealed class OutboxTests : IDisposable
{
    private readonly TempDatabase _temp = new();
    private readonly OutboxOptions _options = new();
    private Outbox? _outbox;

    private Outbox Outbox => _outbox ??= new Outbox(_temp.Database, Options.Create(_options), TimeProvider.System, NullLogger<Outbox>.Instance);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Entries_come_back_in_the_order_of_their_numbers()
    {
        await AppendAsync([.. Enumerable.Range(0, 20).Select(i => Telemetry($"{i}"))]);

        var rows = await Outbox.ReadAsync(0);

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), rows.Select(r => Encoding.UTF8.GetString(r.Entry.Content.Span)));
        Assert.Equal(rows.Select(r => r.Seq).Order(), rows.Select(r => r.Seq));
        Assert.Equal(rows.Skip(5).Take(3).Select(r => r.Seq), (await Outbox.ReadAsync(rows[4].Seq, 3)).Select(r => r.Seq));
    }

    [Fact]
    public async Task A_reading_ends_at_its_size_but_has_at_least_one()
    {
        await AppendAsync(Telemetry(new string('1', 500)), Telemetry(new string('2', 500)));
        Assert.Single(await Outbox.ReadAsync(0, maxBytes: 10));
        Assert.Equal(2, (await Outbox.ReadAsync(0, maxBytes: 2000)).Count);
    }

    [Fact]
    public async Task A_newer_report_of_a_property_takes_the_place_of_the_one_that_waits_with_a_new_number()
    {
        await AppendAsync(Twin("default/p", "t", """{"actual":{"value":"1"}}"""));
        var before = Assert.Single(await Outbox.ReadAsync(0));

        await AppendAsync(Twin("default/p", "t", """{"actual":{"value":"2"}}"""));

        var after = Assert.Single(await Outbox.ReadAsync(0));
        Assert.True(after.Seq > before.Seq);
        Assert.Equal("""{"actual":{"value":"2"}}""", Text(after));
        Assert.Equal(0, await Outbox.DeliveredAsync([before.Seq]));
        Assert.Single(await Outbox.ReadAsync(0));
        Assert.Equal(1, await Outbox.DeliveredAsync([after.Seq]));
        Assert.Empty(await Outbox.ReadAsync(0));
    }

    [Fact]
    public async Task An_actual_that_waits_and_an_expected_that_comes_both_go_up()
    {
        await AppendAsync(Twin("default/p", "t", """{"actual":{"value":"1"},"optional":true,"actual_version":{"cloud":0,"edge":1}}"""));
        await AppendAsync(Twin("default/p", "t", """{"expected":{"value":"9"},"optional":false,"expected_version":{"cloud":1,"edge":0}}"""));

        using var content = JsonDocument.Parse(Assert.Single(await Outbox.ReadAsync(0)).Entry.Content);
        Assert.Equal("1", content.RootElement.GetProperty("actual").GetProperty("value").GetString());
        Assert.Equal("9", content.RootElement.GetProperty("expected").GetProperty("value").GetString());
        Assert.False(content.RootElement.GetProperty("optional").GetBoolean());
        Assert.Equal(5, content.RootElement.EnumerateObject().Count());
    }

    [Fact]
    public async Task Of_a_devices_states_the_newest_waits_and_telemetry_waits_for_itself()
    {
        await AppendAsync(State("default/p", "\"online\""), Telemetry("1"), State("default/p", "\"offline\""), Telemetry("1"));
        Assert.Equal(["1", "\"offline\"", "1"], (await Outbox.ReadAsync(0)).Select(Text));
    }

    [Fact]
    public async Task Neighbouring_properties_of_one_device_become_one_message()
    {
        await AppendAsync(Twin("default/p", "a", "{\"actual\":{}}"), Twin("default/p", "b|c", "{\"optional\":true}"), Twin("default/q", "a", "{}"), Telemetry("5"));

        var messages = Outbox.ToMessages(await Outbox.ReadAsync(0));

        Assert.Equal([2, 1, 1], messages.Select(m => m.Numbers.Count));
        var route = messages[0].Message.Route;
        Assert.Equal(("twin", "resource", "update", "device/default/p/twin/edge_updated"), (route.Source, route.Group, route.Operation, route.Resource));
        using var content = JsonDocument.Parse(messages[0].Message.Content);
        Assert.True(Guid.TryParse(content.RootElement.GetProperty("event_id").GetString(), out _));
        Assert.True(content.RootElement.GetProperty("timestamp").GetInt64() > 0);
        Assert.True(content.RootElement.GetProperty("twin").GetProperty("b|c").GetProperty("optional").GetBoolean());
        Assert.Equal("5", Encoding.UTF8.GetString(messages[2].Message.Content.Span));
    }

    [Fact]
    public async Task A_text_is_a_json_string_on_the_wire()
    {
        await AppendAsync(Telemetry("say \"hi\"") with { IsText = true });
        Assert.Equal("say \"hi\"", Outbox.ToMessages(await Outbox.ReadAsync(0))[0].Message.ContentAsText());
    }

    [Fact]
    public async Task What_comes_over_the_cap_is_refused_and_counted_and_what_waits_stays()
    {
        _options.MaxBytes = 10_000;
        for (var i = 0; i < 100; i++)
        {
            await AppendAsync(Telemetry(new string('1', 500)));
        }

        var ledger = Assert.Single(await Outbox.LedgerAsync());
        Assert.Equal(100, ledger.Accepted);
        Assert.Equal(100, ledger.Waiting + ledger.Refused[Outbox.OverCap]);
        Assert.InRange(ledger.Waiting, 1, 13);
        await AppendAsync(Twin("default/p", "a", "{}"));
        Assert.Contains(await Outbox.ReadAsync(0), r => r.Entry.Class == OutboxClasses.Twin);
    }

    [Fact]
    public async Task There_is_room_again_after_a_delivery_and_after_a_start()
    {
        _options.MaxBytes = 4096;
        _options.TelemetryShare = 1;
        await AppendAsync(Telemetry(new string('1', 3000)));
        Reopen();
        Assert.False(await _temp.Database.RunAsync(db => Outbox.Append(db, Telemetry(new string('2', 3000)))));

        await Outbox.DeliveredAsync([(await Outbox.ReadAsync(0))[0].Seq]);

        Assert.True(await _temp.Database.RunAsync(db => Outbox.Append(db, Telemetry(new string('3', 3000)))));
    }

    [Fact]
    public async Task Without_a_cloud_nothing_is_kept_but_counted()
    {
        _options.Enabled = false;
        await AppendAsync(Telemetry("1"), Telemetry("2"));
        Assert.Empty(await Outbox.ReadAsync(0));
        Assert.Equal(2, Outbox.NoCloud[OutboxClasses.Telemetry]);
    }

    [Fact]
    public async Task An_operation_that_fails_leaves_neither_entry_nor_count_nor_bytes()
    {
        _options.MaxBytes = 4096;
        var outbox = Outbox;
        using var busy = new BusyWriter(_temp.Database);
        var kept = AppendAsync(Twin("default/p", "a", "{}"));
        var failing = _temp.Database.RunAsync(db =>
        {
            outbox.Append(db, Twin("default/p", "b", $"\"{new string('x', 3000)}\""));
            throw new InvalidOperationException("half-way");
        });
        busy.Release();
        await kept;
        await Assert.ThrowsAsync<InvalidOperationException>(() => failing);

        var ledger = Assert.Single(await outbox.LedgerAsync());
        Assert.Equal((1, 1), (ledger.Accepted, ledger.Waiting));
        Assert.True(await _temp.Database.RunAsync(db => outbox.Append(db, Twin("default/p", "b", $"\"{new string('x', 3000)}\""))));
    }

    [Fact]
    public async Task A_reader_is_woken_once_for_many_appends_and_only_after_their_commit()
    {
        var woken = Outbox.WaitAsync(TestContext.Current.CancellationToken);
        await AppendAsync(Telemetry("1"), Telemetry("2"));
        await woken;
        Assert.Equal(2, (await Outbox.ReadAsync(0)).Count);
        Assert.False(Outbox.WaitAsync(TestContext.Current.CancellationToken).IsCompleted);
    }

    [Fact]
    public async Task A_damaged_entry_is_set_aside_alone_and_counted()
    {
        await AppendAsync(Telemetry("1"), Telemetry("2"), Telemetry("3"));
        await _temp.Database.RunAsync(db => db.Execute("UPDATE outbox SET content=x'39' WHERE seq=2"));

        Assert.Equal(["1", "3"], (await Outbox.ReadAsync(0)).Select(Text));

        var ledger = Assert.Single(await Outbox.LedgerAsync());
        Assert.Equal((3, 2, 1), (ledger.Accepted, ledger.Waiting, ledger.Refused[Outbox.Damaged]));
        Assert.Equal(1, await _temp.Database.ReadAsync(db => db.Query("SELECT count(*) FROM damaged_row", r => r.GetInt64(0))[0]));
    }

    [Fact]
    public async Task Nothing_is_laid_over_a_damaged_entry()
    {
        await AppendAsync(Twin("default/p", "a", """{"actual":{"value":"1"}}"""));
        await _temp.Database.RunAsync(db => db.Execute("UPDATE outbox SET content=CAST('{\"actual\":{\"value\":\"9\"}}' AS BLOB)"));

        await AppendAsync(Twin("default/p", "a", """{"expected":{"value":"2"}}"""));

        Assert.Equal("""{"expected":{"value":"2"}}""", Text(Assert.Single(await Outbox.ReadAsync(0))));
        var ledger = Assert.Single(await Outbox.LedgerAsync());
        Assert.Equal((2, 1, 0, 1), (ledger.Accepted, ledger.Waiting, ledger.Superseded, ledger.Refused[Outbox.Damaged]));
        Assert.Equal(1, await _temp.Database.ReadAsync(db => db.Query("SELECT count(*) FROM damaged_row", r => r.GetInt64(0))[0]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task The_ledger_balances_at_any_time_across_starts(int seed)
    {
        var random = new Random(seed);
        _options.MaxBytes = 6000;
        for (var round = 0; round < 60; round++)
        {
            await DoSomethingAsync(random);
            if (random.Next(8) == 0)
            {
                Reopen();
            }

            foreach (var ledger in await Outbox.LedgerAsync())
            {
                Assert.Equal(ledger.Accepted, ledger.Delivered + ledger.Waiting + ledger.Superseded + ledger.Expired + ledger.Refused.Values.Sum());
            }

            var (bytes, rows) = await _temp.Database.ReadAsync(db => (
                db.Query("SELECT coalesce(sum(bytes), 0) FROM outbox_size", r => r.GetInt64(0))[0],
                db.Query("SELECT coalesce(sum(bytes), 0) FROM outbox", r => r.GetInt64(0))[0]));
            Assert.Equal(rows, bytes);
            Assert.InRange(bytes, 0, _options.MaxBytes);
        }
    }

    private async Task DoSomethingAsync(Random random)
    {
        var outbox = Outbox;
        var work = Enumerable.Range(0, random.Next(1, 12)).Select(_ => (Task)(random.Next(10) switch
        {
            0 => outbox.ExpireAsync(OutboxClasses.Telemetry, DateTimeOffset.FromUnixTimeMilliseconds(random.Next(1000))),
            1 => AckAsync(random, rows => outbox.DeliveredAsync(rows)),
            2 => AckAsync(random, rows => outbox.RefusedAsync(rows, "not-wanted")),
            3 => FailHalfWayAsync(outbox, Any(random)),
            _ => AppendAsync([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Any(random))]),
        })).ToList();
        await Task.WhenAll(work);
    }

    private async Task AckAsync(Random random, Func<IReadOnlyList<long>, Task<int>> end)
    {
        var rows = await Outbox.ReadAsync(0, random.Next(1, 5));
        await end([.. rows.Select(r => r.Seq), 999_999]);
    }

    private async Task FailHalfWayAsync(Outbox outbox, OutboxEntry entry) => await Assert.ThrowsAsync<InvalidOperationException>(
        () => _temp.Database.RunAsync(db =>
        {
            outbox.Append(db, entry);
            throw new InvalidOperationException("half-way");
        }));

    private static OutboxEntry Any(Random random) => random.Next(3) switch
    {
        0 => Telemetry(new string('1', random.Next(1, 400))) with { Created = random.Next(1000) },
        1 => State($"default/d{random.Next(3)}", $"\"{new string('s', random.Next(100))}\""),
        _ => Twin($"default/d{random.Next(3)}", $"p{random.Next(3)}", Value(random.Next(2) == 0 ? "actual" : "expected", random.Next(300))),
    };

    private static string Value(string member, int length) => "{\"" + member + "\":{\"value\":\"" + new string('v', length) + "\"}}";

    private void Reopen()
    {
        _temp.Close();
        _outbox = null;
    }

    private Task AppendAsync(params OutboxEntry[] entries)
    {
        var outbox = Outbox;
        return _temp.Database.RunAsync(db =>
        {
            foreach (var entry in entries)
            {
                outbox.Append(db, entry);
            }
        });
    }

    private static string Text(OutboxRow row) => Encoding.UTF8.GetString(row.Entry.Content.Span);

    private static OutboxEntry Twin(string device, string property, string content) =>
        OutboxEntry.TwinReport(device, property, Encoding.UTF8.GetBytes(content), 1);

    private static OutboxEntry State(string device, string content) => Telemetry(content) with { Class = OutboxClasses.State, Key = device };

    private static OutboxEntry Telemetry(string content) => new()
    {
        Class = OutboxClasses.Telemetry,
        Source = "eventbus",
        Group = "user",
        Operation = "upload",
        Resource = "topic",
        Content = Encoding.UTF8.GetBytes(content),
        Created = 1,
    };
}
