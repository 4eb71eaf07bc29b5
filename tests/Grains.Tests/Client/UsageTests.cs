using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeOrleans.Client.Connection;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Client;

public sealed class UsageTests
{
    [Theory]
    [InlineData("get devcies", "unknown command 'devcies' for 'edgectl get'; did you mean 'devices'?")]
    [InlineData("twni get x", "unknown command 'twni' for 'edgectl'; did you mean 'twin'?")]
    [InlineData("get devices --outptu json", "unknown flag '--outptu' for 'edgectl get devices'; did you mean '--output'?")]
    [InlineData("get devices --sever 1:2", "unknown flag '--sever' for 'edgectl get devices'; did you mean '--server'?")]
    [InlineData("get devices -o xml", "'xml' is no output format; take table, wide, json or yaml")]
    [InlineData("get", "'edgectl get' needs one of: nodes, devices, twins, models, modules, refusals")]
    [InlineData("twin set pump-1", "PROPERTY=VALUE")]
    [InlineData("twin set pump-1 temperature", "'temperature' sets nothing; write PROPERTY=VALUE")]
    [InlineData("twin get a/b/c", "is no device id")]
    [InlineData("simulate --rate 5 --interval 1s", "take one of them")]
    [InlineData("simulate --duration soon", "'soon' is no duration")]
    [InlineData("simulate --qos 2", "'2' is no value for --qos")]
    [InlineData("apply -f no-such-file.yaml", "there is no file or folder 'no-such-file.yaml'")]
    [InlineData("apply", "--filename")]
    [InlineData("delete", "say what to delete")]
    [InlineData("get devices --server 1:2:3:x", "is no address")]
    public async Task A_wrong_command_line_is_one_line_and_exit_code_2(string line, string says)
    {
        var outcome = await Ctl.RunAsync(line.Split(' '), cancellation: TestContext.Current.CancellationToken);

        Assert.Contains(says, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Equal((ExitCodes.Usage, ""), (outcome.ExitCode, outcome.Out));
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_said_with_what_to_do_next()
    {
        var outcome = await Ctl.RunAsync(["get", "devices", "--server", $"127.0.0.1:{FreePorts.Take()}"], cancellation: TestContext.Current.CancellationToken);

        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains("cannot reach a node at 127.0.0.1", line, StringComparison.Ordinal);
        Assert.Contains("--server HOST:PORT", line, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Unreachable, outcome.ExitCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    public async Task Something_else_that_listens_there_does_not_keep_a_person_waiting(string says)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stop = new CancellationTokenSource();
        var others = HangUpAsync(listener, says, stop.Token);
        var begin = Stopwatch.GetTimestamp();

        var outcome = await Ctl.RunAsync(["get", "devices", "--server", listener.LocalEndpoint.ToString()!], cancellation: TestContext.Current.CancellationToken);

        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, Reach.Handshake);
        await stop.CancelAsync();
        await others;
        Assert.Contains("does not answer as an EdgeOrleans node", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Unreachable, outcome.ExitCode);
    }

    [Fact]
    public async Task A_silent_listener_may_be_a_busy_node()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new ServerAddress("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);

        var failure = await Assert.ThrowsAsync<CommandException>(() =>
            NodeConnection.OpenAsync(address, TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken));

        Assert.Contains("is busy or not a node", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Unreachable, failure.ExitCode);
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_said_with_what_to_do_next()
    {
        var outcome = await Ctl.RunAsync(["simulate", "--mqtt", $"127.0.0.1:{FreePorts.Take()}"], cancellation: TestContext.Current.CancellationToken);

        Assert.Contains("cannot reach an MQTT broker at 127.0.0.1", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Unreachable, outcome.ExitCode);
    }

    [Fact]
    public async Task No_command_at_all_is_wrong_usage_and_says_what_there_is()
    {
        var outcome = await Ctl.RunAsync([], cancellation: TestContext.Current.CancellationToken);

        Assert.Equal((ExitCodes.Usage, ""), (outcome.ExitCode, outcome.Out));
        Assert.Contains(outcome.ErrorLines, line => line.StartsWith("simulate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Results_that_cannot_be_written_fail_with_a_sentence()
    {
        using var error = new StringWriter();
        await using var full = new StreamWriter(new FullDisk());

        var exitCode = await EdgeCtl.RunAsync(["--help"], new Terminal(full, error, TextReader.Null, Draws: false, Asks: false), cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Failed, exitCode);
        Assert.Equal("error: the results cannot be written: No space left on device", error.ToString().TrimEnd());
    }

    [Fact]
    public async Task Help_explains_the_exit_codes()
    {
        var outcome = await Ctl.RunAsync(["--help"], cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("3 node or broker not reachable", string.Join(' ', outcome.Lines), StringComparison.Ordinal);
    }

    private sealed class FullDisk : MemoryStream
    {
        private bool _isClosed;

        public override void Write(byte[] buffer, int offset, int count) => Write();

        public override void Write(ReadOnlySpan<byte> buffer) => Write();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write();
            return ValueTask.CompletedTask;
        }

        // The writer's own end is not what is tried here.
        private void Write()
        {
            if (!_isClosed)
            {
                _isClosed = true;
                throw new IOException("No space left on device");
            }
        }
    }

    private static async Task HangUpAsync(TcpListener listener, string words, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(stop);
                client.Client.Send(Encoding.ASCII.GetBytes(words));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    [Fact]
    public async Task Every_command_of_the_consoles_page_is_one()
    {
        var page = await File.ReadAllLinesAsync(TestKit.Repository.PathOf("docs", "console.md"), TestContext.Current.CancellationToken);
        var commands = page.Where(static l => l.StartsWith("edgectl ", StringComparison.Ordinal) && !l.StartsWith("edgectl config", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(commands);
        foreach (var command in commands)
        {
            // Quotes keep words together, as in a shell. Nobody listens at the discard port.
            string[] words = [.. command.Split('\'').SelectMany(static (part, i) => i % 2 == 1 ? [part] : part.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Skip(1)];
            var outcome = await Ctl.RunAsync(["--server", "127.0.0.1:9", .. words], cancellation: TestContext.Current.CancellationToken);

            Assert.True(outcome.ExitCode != ExitCodes.Usage || outcome.Error.Contains("docs/samples", StringComparison.Ordinal), $"{command}: {outcome.Error}");
        }
    }
}
