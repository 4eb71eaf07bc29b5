using System.Net.WebSockets;
using System.Text;
using EdgeOrleans.Beehive;
using Microsoft.Extensions.Time.Testing;

namespace EdgeOrleans.Link.Wire;

public sealed class LinkSocketTests : IDisposable
{
    // A test that is not about pings has none: it runs by its own clock.
    private static readonly LinkSocketOptions NoPings = new() { PingInterval = TimeSpan.Zero, PongTimeout = Timeout.InfiniteTimeSpan };
    private static readonly LinkSocketOptions FastPings = new() { PingInterval = TimeSpan.FromMilliseconds(20), PongTimeout = TimeSpan.FromSeconds(20) };

    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(1));

    private CancellationToken Patience => _patience.Token;

    public void Dispose() => _patience.Dispose();

    [Fact]
    public async Task Messages_arrive_both_ways_whole_and_in_order()
    {
        await using var pair = new LinkPair();

        await Task.WhenAll(SendNumbersAsync(pair.Left), SendNumbersAsync(pair.Right), HearNumbersAsync(pair.Left), HearNumbersAsync(pair.Right));

        async Task SendNumbersAsync(RunningLink link)
        {
            for (var number = 0; number < 1000; number++)
            {
                await link.Link.SendAsync(Numbered(number), Patience);
            }
        }

        static async Task HearNumbersAsync(RunningLink link)
        {
            for (var number = 0; number < 1000; number++)
            {
                Assert.Equal(Numbered(number).Route, (await link.HearAsync()).Route);
            }
        }
    }

    [Fact]
    public async Task A_message_of_many_megabytes_arrives_over_a_narrow_wire()
    {
        await using var pair = new LinkPair();
        var text = new string('x', 6_000_000);

        await pair.Left.Link.SendAsync(Numbered(1) with { Content = Message.Text(text) }, Patience);

        Assert.Equal(text, (await pair.Right.HearAsync()).ContentAsText());
    }

    [Fact]
    public async Task A_slow_wire_delays_and_loses_nothing()
    {
        await using var pair = new LinkPair();
        (pair.Wire.Delay, pair.Wire.BytesPerSecond) = (TimeSpan.FromMilliseconds(20), 200_000);

        for (var number = 0; number < 50; number++)
        {
            await pair.Left.Link.SendAsync(Numbered(number), Patience);
        }

        for (var number = 0; number < 50; number++)
        {
            Assert.Equal(number.ToString(), (await pair.Right.HearAsync()).Route.Resource);
        }
    }

    [Fact]
    public async Task Frames_in_pieces_and_binary_frames_are_taken_as_a_stock_peer_takes_them()
    {
        await using var raw = new RawPeer(NoPings);
        var frame = Encoding.UTF8.GetBytes(Captures.TwinReport);

        await raw.Socket.SendAsync(frame.AsMemory(0, 50), WebSocketMessageType.Text, endOfMessage: false, Patience);
        await raw.Socket.SendAsync(frame.AsMemory(50), WebSocketMessageType.Text, endOfMessage: true, Patience);
        await raw.Socket.SendAsync(frame, WebSocketMessageType.Binary, endOfMessage: true, Patience);
        await raw.Socket.SendAsync((byte[])[.. frame, (byte)'\n'], WebSocketMessageType.Text, endOfMessage: true, Patience);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("device/default/sensor1/twin/edge_updated", (await raw.Link.HearAsync()).Route.Resource);
        }
    }

    [Fact]
    public async Task What_leaves_is_one_text_message_without_compression()
    {
        await using var raw = new RawPeer(NoPings);

        await raw.Link.Link.SendAsync(Envelopes.Read(Captures.TwinReport), Patience);

        var (type, text) = await raw.HearAsync();
        Assert.Equal((WebSocketMessageType.Text, Captures.TwinReport), (type, text));
    }

    [Fact]
    public async Task A_frame_that_is_too_large_ends_the_link_and_the_peer_is_told()
    {
        await using var raw = new RawPeer(NoPings with { Limits = EnvelopeLimits.Default with { MaxBytes = 10_000 } });

        await raw.Socket.SendAsync(new byte[10_001], WebSocketMessageType.Binary, endOfMessage: true, Patience);

        Assert.Equal(LinkEndReason.TooLarge, (await raw.Link.EndAsync()).Reason);
        Assert.Equal(WebSocketMessageType.Close, (await raw.HearAsync()).Type);
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, raw.Socket.CloseStatus);
    }

    [Fact]
    public async Task A_frame_that_is_no_envelope_is_told_and_passed_over()
    {
        await using var raw = new RawPeer(NoPings);

        await raw.SendAsync("ping");
        await raw.SendAsync("");
        await raw.SendAsync(Captures.KeepAlive);

        Assert.Equal("keepalive", (await raw.Link.HearAsync()).Route.Operation);
        Assert.Equal([EnvelopeFault.NotJson, EnvelopeFault.Empty], raw.Link.Refused.Select(r => r.Fault));
    }

    [Fact]
    public async Task A_peer_that_sends_nothing_but_nonsense_is_no_peer()
    {
        await using var raw = new RawPeer(NoPings with { MaxRefusedInARow = 3 });

        await raw.SendAsync("1");
        await raw.SendAsync("2");
        await raw.SendAsync(Captures.KeepAlive);
        await raw.SendAsync("3");
        await raw.SendAsync("4");
        await raw.SendAsync("5");

        Assert.Equal(LinkEndReason.ProtocolError, (await raw.Link.EndAsync()).Reason);
        Assert.Equal(5, raw.Link.Refused.Count);
        await raw.HearAsync();
        Assert.Equal(WebSocketCloseStatus.InvalidPayloadData, raw.Socket.CloseStatus);
    }

    [Fact]
    public async Task A_peer_that_does_not_speak_WebSocket_is_a_protocol_error()
    {
        using var wire = new TestKit.Wire();
        await using var link = new RunningLink(WebSocket.CreateFromStream(wire.Right, NoPings.ForStream(isServer: true)), NoPings);

        await wire.Left.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), Patience);

        Assert.Equal(LinkEndReason.ProtocolError, (await link.EndAsync()).Reason);
    }

    [Fact]
    public async Task Random_bytes_on_the_wire_end_their_link_with_a_reason_and_nothing_else()
    {
        var random = new Random(42);
        for (var round = 0; round < 300; round++)
        {
            using var wire = new TestKit.Wire();
            await using var link = new RunningLink(WebSocket.CreateFromStream(wire.Right, NoPings.ForStream(isServer: true)), NoPings);
            var bytes = new byte[random.Next(1, 500)];
            random.NextBytes(bytes);
            bytes[0] = (byte)(random.Next(2) == 0 ? 0x81 : bytes[0]);

            await wire.Left.WriteAsync(bytes, Patience);
            await wire.Left.DisposeAsync();

            Assert.Contains((await link.EndAsync()).Reason, (LinkEndReason[])[LinkEndReason.ProtocolError, LinkEndReason.Broken, LinkEndReason.ClosedByPeer]);
        }
    }

    [Fact]
    public async Task A_control_message_is_answered_by_the_socket_and_goes_no_further()
    {
        await using var raw = new RawPeer(NoPings);

        await raw.SendAsync("""{"header":{"msg_id":"ctl-1","timestamp":1795422948345},"route":{"source":"","group":"","operation":"ping","resource":"/control/ping"},"content":""}""");

        var answer = Envelopes.Read((await raw.HearAsync()).Text);
        Assert.Equal(("ctl-1", "response", "/control/ping", "ack"), (answer.Header.ParentId, answer.Route.Operation, answer.Route.Resource, answer.ContentAsText()));
        Assert.True(raw.Link.HasHeardNothing);
    }

    [Fact]
    public async Task An_orderly_close_lets_out_what_was_taken_and_both_ends_know_why()
    {
        await using var pair = new LinkPair(NoPings);
        pair.Wire.Hold();
        for (var number = 0; number < 20; number++)
        {
            await pair.Left.Link.SendAsync(Numbered(number), Patience);
        }

        pair.Left.Link.Close("the node stops");
        pair.Wire.Release();

        for (var number = 0; number < 20; number++)
        {
            Assert.Equal(number.ToString(), (await pair.Right.HearAsync()).Route.Resource);
        }

        Assert.Equal(new LinkEnd(LinkEndReason.ClosedByPeer, "the other end closed with 1000 \"the node stops\"") { Status = WebSocketCloseStatus.NormalClosure }, await pair.Right.EndAsync());
        var end = await pair.Left.EndAsync();
        Assert.Equal((LinkEndReason.ClosedHere, "the node stops", 0), (end.Reason, end.Detail, end.Unsent));
        Assert.Equal(end, await pair.Left.Link.Ended);
    }

    [Fact]
    public async Task Cancelling_ends_the_link_in_order()
    {
        await using var pair = new LinkPair(NoPings);

        pair.Left.Cancel();

        Assert.Equal(LinkEndReason.Cancelled, (await pair.Left.EndAsync()).Reason);
        Assert.Equal(LinkEndReason.ClosedByPeer, (await pair.Right.EndAsync()).Reason);
    }

    [Fact]
    public async Task An_orderly_close_to_a_dead_peer_ends_in_its_time()
    {
        var time = new FakeTimeProvider();
        await using var pair = new LinkPair(NoPings, time);
        pair.Wire.Hold();

        pair.Left.Link.Close("the node stops");
        Assert.False(pair.Left.Run.IsCompleted);
        time.Advance(NoPings.CloseTimeout);

        Assert.Equal(LinkEndReason.ClosedHere, (await pair.Left.EndAsync()).Reason);
    }

    [Fact]
    public async Task A_cut_wire_is_heard_by_both_ends()
    {
        await using var pair = new LinkPair(NoPings);

        pair.Wire.Cut();

        Assert.Equal(LinkEndReason.Broken, (await pair.Left.EndAsync()).Reason);
        Assert.Equal(LinkEndReason.Broken, (await pair.Right.EndAsync()).Reason);
    }

    [Fact]
    public async Task A_peer_that_goes_without_a_goodbye_has_broken_the_link()
    {
        await using var raw = new RawPeer(NoPings);

        raw.Socket.Abort();

        Assert.Equal(LinkEndReason.Broken, (await raw.Link.EndAsync()).Reason);
    }

    [Fact]
    public async Task W24_a_half_open_link_is_dead_when_a_ping_has_no_echo()
    {
        await using var pair = new LinkPair(FastPings with { PongTimeout = TimeSpan.FromMilliseconds(100) });

        pair.Wire.Hold();

        Assert.Equal(LinkEndReason.ReadTimeout, (await pair.Left.EndAsync()).Reason);
        Assert.Equal(LinkEndReason.ReadTimeout, (await pair.Right.EndAsync()).Reason);
    }

    [Fact]
    public async Task A_quiet_link_lives_by_its_pings()
    {
        await using var pair = new LinkPair(FastPings);

        await pair.Wire.BytesToRightAsync(200, Patience);

        await pair.Left.Link.SendAsync(Numbered(1), Patience);
        Assert.Equal("1", (await pair.Right.HearAsync()).Route.Resource);
    }

    [Fact]
    public async Task A_receiver_that_does_not_take_a_message_in_time_ends_its_own_link_and_says_so()
    {
        var time = new FakeTimeProvider();
        var begun = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var pair = new LinkPair(NoPings, time, receiveRight: async (_, cancellation) =>
        {
            await using var registration = cancellation.Register(ended.SetResult);
            begun.SetResult();
            await ended.Task;
        });
        await pair.Left.Link.SendAsync(Numbered(1), Patience);
        await begun.Task;

        // The clock is moved until it is heard: the receiver says that it has begun a moment before its time is taken.
        while (!pair.Right.Run.IsCompleted)
        {
            time.Advance(NoPings.ReceiveTimeout);
            await Task.Yield();
        }


        Assert.Equal("a message could not be taken: the receiver did not take it within 15 s", (await pair.Right.EndAsync()).Detail);
        await ended.Task;
    }

    [Fact]
    public async Task A_peer_that_says_no_message_in_time_is_dead_whatever_its_pongs_say()
    {
        var time = new FakeTimeProvider();
        await using var raw = new RawPeer(NoPings with { MessageTimeout = TimeSpan.FromSeconds(30) }, time);
        await raw.SendAsync(Captures.KeepAlive);
        await raw.Link.HearAsync();
        await raw.IsHeardAsync();

        time.Advance(TimeSpan.FromSeconds(20));
        await raw.SendAsync(Captures.KeepAlive);
        await raw.Link.HearAsync();
        await raw.IsHeardAsync();
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(raw.Link.Run.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(10));

        var end = await raw.Link.EndAsync();
        Assert.Equal((LinkEndReason.ReadTimeout, "no message within 30 s"), (end.Reason, end.Detail));
    }

    [Fact]
    public async Task A_frame_that_does_not_end_in_time_ends_the_link()
    {
        var time = new FakeTimeProvider();
        await using var raw = new RawPeer(NoPings, time);

        await raw.Socket.SendAsync("{"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: false, Patience);
        await raw.IsHeardAsync();
        time.Advance(NoPings.FrameTimeout);

        var end = await raw.Link.EndAsync();
        Assert.Equal((LinkEndReason.ReadTimeout, "no end of a frame that had begun within 30 s"), (end.Reason, end.Detail));
    }

    [Fact]
    public async Task A_peer_that_does_not_take_a_frame_in_time_ends_the_link_and_what_is_left_is_counted()
    {
        var time = new FakeTimeProvider();
        await using var pair = new LinkPair(NoPings, time);
        pair.Wire.Hold();
        await pair.Left.Link.SendAsync(Numbered(1) with { Content = Message.Text(new string('x', 2 * pair.Wire.Window)) }, Patience);
        await pair.Left.Link.SendAsync(Numbered(2), Patience);
        await pair.Wire.BytesToRightAsync(pair.Wire.Window, Patience);

        time.Advance(NoPings.WriteTimeout);

        var end = await pair.Left.EndAsync();
        Assert.Equal((LinkEndReason.WriteTimeout, 2), (end.Reason, end.Unsent));
    }

    [Fact]
    public async Task A_slow_receiver_holds_back_its_sender_and_nobody_else()
    {
        var mayTake = new SemaphoreSlim(0);
        var begun = new SemaphoreSlim(0);
        await using var slow = new LinkPair(NoPings with { QueueLength = 4 }, receiveRight: async (_, cancellation) =>
        {
            begun.Release();
            await mayTake.WaitAsync(cancellation);
        });
        await using var other = new LinkPair(NoPings);
        var large = Numbered(7) with { Content = Message.Text(new string('x', 2 * slow.Wire.Window)) };

        await slow.Left.Link.SendAsync(large, Patience);
        await begun.WaitAsync(Patience);
        for (var queued = 0; queued < 4; queued++)
        {
            await slow.Left.Link.SendAsync(large, Patience);
        }

        Assert.False(slow.Left.Link.TrySend(large));
        var waiting = slow.Left.Link.SendAsync(large, Patience).AsTask();
        await other.Left.Link.SendAsync(Numbered(1), Patience);
        Assert.Equal("1", (await other.Right.HearAsync()).Route.Resource);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(4, slow.Left.Link.Waiting);

        mayTake.Release(6);
        await waiting;
        for (var arrived = 1; arrived < 6; arrived++)
        {
            await begun.WaitAsync(Patience);
        }
    }

    [Fact]
    public async Task Who_waits_to_send_hears_of_the_end_and_so_does_who_comes_later()
    {
        await using var pair = new LinkPair(NoPings with { QueueLength = 1 });
        pair.Wire.Hold();
        await pair.Left.Link.SendAsync(Numbered(1) with { Content = Message.Text(new string('x', 2 * pair.Wire.Window)) }, Patience);
        var waiting = pair.Left.Link.SendAsync(Numbered(2), Patience).AsTask();
        Assert.False(pair.Left.Link.TrySend(Numbered(3)));

        pair.Wire.Cut();

        Assert.Equal(LinkEndReason.Broken, (await Assert.ThrowsAsync<LinkEndedException>(() => waiting)).End.Reason);
        await pair.Left.EndAsync();
        await Assert.ThrowsAsync<LinkEndedException>(() => pair.Left.Link.SendAsync(Numbered(4), Patience).AsTask());
        Assert.False(pair.Left.Link.TrySend(Numbered(5)));
    }

    [Fact]
    public async Task A_sender_may_give_up_and_what_waits_behind_it_goes_on()
    {
        await using var pair = new LinkPair(NoPings with { QueueLength = 1 });
        pair.Wire.Hold();
        await pair.Left.Link.SendAsync(Numbered(1) with { Content = Message.Text(new string('x', 2 * pair.Wire.Window)) }, Patience);
        using var impatient = new CancellationTokenSource();
        var givenUp = pair.Left.Link.SendAsync(Numbered(2), impatient.Token).AsTask();
        var waiting = pair.Left.Link.SendAsync(Numbered(3), Patience).AsTask();

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp);
        pair.Wire.Release();
        await waiting;

        Assert.Equal("1", (await pair.Right.HearAsync()).Route.Resource);
        Assert.Equal("3", (await pair.Right.HearAsync()).Route.Resource);
    }

    [Fact]
    public async Task A_message_that_cannot_be_a_frame_fails_for_its_sender_alone()
    {
        await using var pair = new LinkPair(NoPings with { Limits = EnvelopeLimits.Default with { MaxBytes = 1000 } });

        await Assert.ThrowsAsync<EnvelopeException>(() => pair.Left.Link.SendAsync(Numbered(1) with { Content = new byte[2000] }, Patience).AsTask());
        await pair.Left.Link.SendAsync(Numbered(2), Patience);

        Assert.Equal("2", (await pair.Right.HearAsync()).Route.Resource);
    }

    [Fact]
    public async Task A_receiver_that_fails_ends_the_link_with_its_exception()
    {
        var failure = new InvalidOperationException("no room");
        await using var pair = new LinkPair(NoPings, receiveRight: (_, _) => throw failure);

        await pair.Left.Link.SendAsync(Numbered(1), Patience);

        var end = await pair.Right.EndAsync();
        Assert.Equal((LinkEndReason.ReceiverFailed, failure), (end.Reason, end.Exception));
        Assert.Contains("1011", (await pair.Left.EndAsync()).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_peer_says_at_its_end_is_one_line()
    {
        await using var raw = new RawPeer(NoPings);

        await raw.Socket.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, "go\nERROR away", Patience);

        Assert.Equal("the other end closed with 1008 \"go ERROR away\"", (await raw.Link.EndAsync()).Detail);
    }

    [Fact]
    public async Task A_disposed_link_ends_at_once_whether_it_ran_or_not()
    {
        await using var pair = new LinkPair(NoPings);
        pair.Wire.Hold();
        pair.Left.Link.Dispose();
        Assert.Equal(LinkEndReason.ClosedHere, (await pair.Left.EndAsync()).Reason);

        using var wire = new TestKit.Wire();
        var unused = new LinkSocket(wire.ToWebSockets().Left, NoPings, TimeProvider.System);
        unused.Dispose();
        Assert.Equal(LinkEndReason.ClosedHere, (await unused.Ended).Reason);
        await Assert.ThrowsAsync<InvalidOperationException>(() => unused.RunAsync((_, _) => ValueTask.CompletedTask, _ => { }, Patience));
    }

    [Fact]
    public async Task Links_that_are_cut_at_any_moment_always_end()
    {
        var random = new Random(20);
        for (var round = 0; round < 200; round++)
        {
            await using var pair = new LinkPair(NoPings);
            var sending = Task.WhenAll(SendUntilTheEndAsync(pair.Left), SendUntilTheEndAsync(pair.Right));
            await pair.Wire.BytesToRightAsync(random.Next(20_000), Patience);
            switch (random.Next(3))
            {
                case 0:
                    pair.Wire.Cut();
                    break;
                case 1:
                    pair.Left.Link.Close("");
                    break;
                default:
                    pair.Right.Cancel();
                    break;
            }

            await pair.Left.EndAsync();
            await pair.Right.EndAsync();
            await sending;
        }

        async Task SendUntilTheEndAsync(RunningLink link)
        {
            await Assert.ThrowsAsync<LinkEndedException>(async () =>
            {
                for (var number = 0; ; number++)
                {
                    await link.Link.SendAsync(Numbered(number), Patience);
                }
            });
        }
    }

    private static Message Numbered(int number) => Envelopes.Of("test", "resource", "update", number.ToString());
}
