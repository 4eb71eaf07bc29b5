using System.Globalization;
using System.Net.Sockets;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Benchmarks.Load;

/// <summary>
/// MQTT clients by the thousand, in a process of their own: a client that is measured shares nothing with them but the node and the
/// machine. It is told on standard input what to do, and says "done" after each line.
/// </summary>
internal sealed class CrowdClients(int port)
{
    private readonly List<MqttSocket> _clients = [];

    /// <summary>The process, told from outside.</summary>
    internal sealed class Remote : IAsyncDisposable
    {
        private readonly ChildProcess _process;
        private int _orders;

        public Remote(int port) => _process = ChildProcess.Start(
            Environment.ProcessPath!, ["--crowd-clients", port.ToString(CultureInfo.InvariantCulture)]);

        /// <summary>All connect at the same moment; they say who they are and read nothing.</summary>
        public Task ComeAsync(int count) => TellAsync($"come {count}");

        /// <summary>They connect, subscribe and read nothing.</summary>
        public Task SubscribeAsync(int count, string topic) => TellAsync($"subscribe {count} {topic}");

        /// <summary>All vanish without a word.</summary>
        public Task VanishAsync() => TellAsync("vanish");

        public ValueTask DisposeAsync() => _process.DisposeAsync();

        private async Task TellAsync(string order)
        {
            await _process.Input.WriteLineAsync(order);
            await _process.Input.FlushAsync();
            await _process.Output.LineAsync($"done {++_orders}");
        }
    }

    public static async Task RunAsync(int port, TextReader orders, TextWriter output)
    {
        var clients = new CrowdClients(port);
        for (var number = 1; await orders.ReadLineAsync() is { } order; number++)
        {
            await clients.ObeyAsync(order.Split(' '));
            await output.WriteLineAsync($"done {number}");
        }
    }

    private async Task ObeyAsync(string[] order)
    {
        switch (order)
        {
            case ["come", var count]:
                _clients.AddRange((await Task.WhenAll(Enumerable.Range(0, Number(count)).Select(ComeAsync))).OfType<MqttSocket>());
                break;
            case ["subscribe", var count, var topic]:
                for (var i = 0; i < Number(count); i++)
                {
                    _clients.Add(await MqttSocket.ConnectAsync(port, $"deaf-{i}", i % 3, topic));
                }

                break;
            default:
                _clients.ForEach(static client => client.Dispose());
                _clients.Clear();
                break;
        }
    }

    private async Task<MqttSocket?> ComeAsync(int number)
    {
        try
        {
            var client = await MqttSocket.OpenAsync(port);
            await client.SendAsync(MqttPacket.Connect($"crowd-{number}"));
            return client;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return null;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
