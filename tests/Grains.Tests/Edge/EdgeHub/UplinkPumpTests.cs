using System.Text;
using System.Threading.Channels;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.Link;
using EdgeOrleans.Link.Wire;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Edge.EdgeHub;

public sealed class UplinkPumpTests : IDisposable
{
    private readonly TempDatabase _temp = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly Refusals _refusals = new();
    private readonly Outbox _outbox;

    public UplinkPumpTests() => _outbox = new Outbox(_temp.Database, Options.Create(new OutboxOptions()), _time, NullLogger<Outbox>.Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task What_waits_leaves_in_order_and_ends_with_its_answer()
    {
        await ReportAsync(3);
        await using var link = new FakeLink(this);

        var sent = await link.TakeAsync(3);

        Assert.Equal(["device/default/d0/twin/edge_updated", "device/default/d1/twin/edge_updated", "device/default/d2/twin/edge_updated"], sent.Select(m => m.Route.Resource));
        Assert.Equal(3, (await LedgerAsync(OutboxClasses.Twin)).Waiting);
        sent.ForEach(m => link.Confirm(m));
        await link.QuietAsync();
        Assert.Equal((3, 0), await DeliveredAndWaitingAsync());
    }

    [Fact]
    public async Task W25_no_more_than_a_window_is_unanswered_and_each_answer_lets_the_next_one_out()
    {
        await ReportAsync(UplinkPump.Window + 2);
        await using var link = new FakeLink(this);

        var sent = await link.TakeAsync(UplinkPump.Window);
        Assert.False(link.HasMore);
        link.Confirm(sent[^1]);

        Assert.Equal($"device/default/d{UplinkPump.Window}/twin/edge_updated", (await link.TakeAsync(1))[0].Route.Resource);
        Assert.False(link.HasMore);
    }

    [Fact]
    public async Task W15_what_was_not_answered_before_a_break_goes_again_over_the_next_link_and_ends_once()
    {
        await ReportAsync(3);
        await using (var first = new FakeLink(this))
        {
            var sent = await first.TakeAsync(3);
            first.Confirm(sent[0]);
            await first.EndingsAsync(1);
        }

        await using var second = new FakeLink(this);
        var again = await second.TakeAsync(2);
        again.ForEach(second.Confirm);
        await second.QuietAsync();

        Assert.Equal(["device/default/d1/twin/edge_updated", "device/default/d2/twin/edge_updated"], again.Select(m => m.Route.Resource));
        Assert.Equal((3, 0), await DeliveredAndWaitingAsync());
    }

    [Fact]
    public async Task A_newer_report_than_the_one_under_way_goes_too_and_the_answer_to_the_older_one_ends_nothing()
    {
        await AppendAsync(OutboxEntry.TwinReport("default/d", "t", """{"actual":{"value":"1"}}"""u8.ToArray(), 1));
        await using var link = new FakeLink(this);
        var older = (await link.TakeAsync(1))[0];

        await AppendAsync(OutboxEntry.TwinReport("default/d", "t", """{"actual":{"value":"2"}}"""u8.ToArray(), 2));
        var newer = (await link.TakeAsync(1))[0];
        link.Confirm(older);
        await link.EndingsAsync(1);
        Assert.Equal(1, (await LedgerAsync(OutboxClasses.Twin)).Waiting);
        link.Confirm(newer);
        await link.QuietAsync();

        Assert.Contains("\"2\"", newer.ContentAsText(), StringComparison.Ordinal);
        var ledger = await LedgerAsync(OutboxClasses.Twin);
        Assert.Equal((2, 1, 1, 0), (ledger.Accepted, ledger.Superseded, ledger.Delivered, ledger.Waiting));
    }

    [Fact]
    public async Task What_nobody_answers_gives_its_place_to_others_and_goes_again_minutes_later()
    {
        await ReportAsync(UplinkPump.Window + 1);
        await using var link = new FakeLink(this);
        var silent = await link.TakeAsync(UplinkPump.Window);

        await link.AdvanceAsync(UplinkPump.Patience + TimeSpan.FromSeconds(5), until: () => _refusals.Snapshot().ContainsKey("edgeHub.unanswered"));
        var other = (await link.TakeAsync(1))[0];
        link.Confirm(other);

        // Late is not never.
        link.Confirm(silent[0]);
        await link.EndingsAsync(2);
        Assert.Equal((2, UplinkPump.Window - 1), await DeliveredAndWaitingAsync());

        await link.AdvanceAsync(UplinkPump.BeforeAgain, until: () => link.HasMore);
        var again = await link.TakeAsync(UplinkPump.Window - 1);
        again.ForEach(link.Confirm);
        await link.QuietAsync();

        Assert.Equal(silent.Skip(1).Select(m => m.Route.Resource), again.Select(m => m.Route.Resource));
        Assert.Equal((UplinkPump.Window + 1, 0), await DeliveredAndWaitingAsync());
    }

    [Theory]
    [InlineData("not-of-this-node: device default/d0 is on node edge-2", "not-of-this-node")]
    [InlineData("something went wrong", "not-accepted")]
    [InlineData("Not a word: no", "not-accepted")]
    public async Task An_error_of_the_cloud_ends_an_entry_as_refused_with_a_word(string sentence, string word)
    {
        await ReportAsync(1);
        await using var link = new FakeLink(this);

        link.Refuse((await link.TakeAsync(1))[0], sentence);
        await link.QuietAsync();

        var ledger = await LedgerAsync(OutboxClasses.Twin);
        Assert.Equal((word, 1), (Assert.Single(ledger.Refused).Key, ledger.Refused.Values.Single()));
        Assert.Equal(1, _refusals.Snapshot()["edgeHub.refused-by-cloud"]);
    }

    [Fact]
    public async Task Uploads_end_as_unconfirmed_when_the_cloud_has_read_them()
    {
        await AppendAsync(Upload("a"), Upload("b"));
        await using var link = new FakeLink(this);

        var sent = await link.TakeAsync(3);
        Assert.Equal(("upload", "upload", "ping"), (sent[0].Route.Operation, sent[1].Route.Operation, sent[2].Route.Operation));
        Assert.Equal(2, (await LedgerAsync(OutboxClasses.Telemetry)).Waiting);
        link.Confirm(sent[2]);
        await link.QuietAsync();

        var ledger = await LedgerAsync(OutboxClasses.Telemetry);
        Assert.Equal((0, 2, 0), (ledger.Waiting, ledger.Unconfirmed, ledger.Delivered));
    }

    [Fact]
    public async Task Uploads_that_the_cloud_has_not_read_when_the_link_breaks_go_again()
    {
        await AppendAsync(Upload("a"));
        await using (var first = new FakeLink(this))
        {
            await first.TakeAsync(2);
        }

        await using var second = new FakeLink(this);
        Assert.Equal("a", (await second.TakeAsync(2))[0].Route.Resource);
    }

    [Fact]
    public async Task Who_waits_for_quiet_on_a_link_that_has_ended_is_not_kept()
    {
        await ReportAsync(1);
        var link = new FakeLink(this);
        await link.TakeAsync(1);
        var before = Task.Run(link.QuietAsync, Cancellation);
        await link.EndAsync();
        var after = Task.Run(link.QuietAsync, Cancellation);

        await Task.WhenAll(before, after).WaitAsync(TimeSpan.FromSeconds(10), Cancellation);

        await link.DisposeAsync();
    }

    private static OutboxEntry Upload(string topic) => new()
    {
        Class = OutboxClasses.Telemetry, Source = "bus", Group = "user", Operation = "upload", Resource = topic, Content = "\"x\""u8.ToArray(), Created = 1,
    };

    private Task<bool> ReportAsync(int count) => AppendAsync([.. Enumerable.Range(0, count).Select(i =>
        OutboxEntry.TwinReport($"default/d{i}", "t", Encoding.UTF8.GetBytes($$$"""{"actual":{"value":"{{{i}}}"}}"""), i))]);

    private Task<bool> AppendAsync(params OutboxEntry[] entries) => _temp.Database.RunAsync(db =>
    {
        foreach (var entry in entries)
        {
            _outbox.Append(db, entry);
        }

        return true;
    });

    private async Task<LedgerEntry> LedgerAsync(string type) => (await _outbox.LedgerAsync()).Single(e => e.Class == type);

    private async Task<(long, long)> DeliveredAndWaitingAsync()
    {
        var ledger = await LedgerAsync(OutboxClasses.Twin);
        return (ledger.Delivered, ledger.Waiting);
    }

    /// <summary>A link that is nothing but a list of what left.</summary>
    private sealed class FakeLink : IAsyncDisposable
    {
        private readonly UplinkPumpTests _test;
        private readonly UplinkPump _pump;
        private readonly Channel<Message> _sent = Channel.CreateUnbounded<Message>();
        private readonly CancellationTokenSource _life = new();
        private readonly Task _running;

        public FakeLink(UplinkPumpTests test)
        {
            _test = test;
            _pump = new UplinkPump(test._outbox, test._refusals, test._time, NullLogger.Instance);
            _running = _pump.RunAsync((message, _) => _sent.Writer.WriteAsync(message, CancellationToken.None), _life.Token);
        }

        public bool HasMore => _sent.Reader.TryPeek(out _);

        public async Task<List<Message>> TakeAsync(int count)
        {
            var taken = new List<Message>();
            while (taken.Count < count)
            {
                taken.Add(await _sent.Reader.ReadAsync(Cancellation));
            }

            return taken;
        }

        public void Confirm(Message message) => Assert.True(_pump.TryEnd(message.Respond("devicecontroller", "\"OK\""u8.ToArray(), 1)));

        public void Refuse(Message message, string sentence) =>
            Assert.True(_pump.TryEnd(Read(message.Refuse("devicecontroller", 404, sentence, 1))));

        public Task QuietAsync() => _pump.QuietAsync(Cancellation);

        /// <summary>Ends when so many entries were ended on disk since the start of the test.</summary>
        public async Task EndingsAsync(int count)
        {
            while (true)
            {
                var ledger = await _test.LedgerAsync(OutboxClasses.Twin);
                if (ledger.Delivered + ledger.Superseded >= count)
                {
                    return;
                }

                Cancellation.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }

        /// <summary>Moves the clock in small steps, as timers wake others one after the other.</summary>
        public async Task AdvanceAsync(TimeSpan by, Func<bool> until)
        {
            for (var moved = TimeSpan.Zero; moved < by || !until(); moved += TimeSpan.FromSeconds(1))
            {
                _test._time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
                Cancellation.ThrowIfCancellationRequested();
            }
        }

        public async Task EndAsync()
        {
            await _life.CancelAsync();
            await _running;
        }

        public async ValueTask DisposeAsync()
        {
            await EndAsync();
            _pump.Dispose();
            _life.Dispose();
        }

        // As it comes over the wire.
        private static Message Read(Message message) => Envelope.Read(Envelope.Write(message, EnvelopeLimits.Default), EnvelopeLimits.Default).Message!;
    }
}
