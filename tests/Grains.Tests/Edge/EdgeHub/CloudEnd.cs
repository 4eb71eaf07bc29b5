using System.Text;
using System.Threading.Channels;
using EdgeOrleans.Beehive;
using EdgeOrleans.Link.Wire;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>A link at the end of a test's cloud.</summary>
internal sealed class CloudEnd(LinkSocket socket, string serial) : IDisposable
{
    private readonly Channel<Message> _heard = Channel.CreateUnbounded<Message>();
    private readonly Lock _gate = new();
    private readonly List<Message> _all = [];

    /// <summary>The serial number of the node's certificate.</summary>
    public string Serial => serial;

    public Task<LinkEnd> Ended => socket.Ended;

    /// <summary>What it does with each message before a test sees it; by default reports are confirmed.</summary>
    public Func<CloudEnd, Message, ValueTask> OnMessage { get; set; } = static (end, message) =>
        message.Route.Source == "twin" && message.Route.Operation == Operations.Update ? end.ConfirmAsync(message) : ValueTask.CompletedTask;

    /// <summary>All that was heard so far.</summary>
    public IReadOnlyList<Message> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _all];
            }
        }
    }

    public Task<LinkEnd> RunAsync(CancellationToken cancellation) => socket.RunAsync(
        async (message, _) =>
        {
            lock (_gate)
            {
                _all.Add(message);
            }

            await OnMessage(this, message);
            _heard.Writer.TryWrite(message);
        },
        static error => throw new InvalidOperationException(error.Reason),
        cancellation);

    /// <summary>The next message that is wanted; others are passed over.</summary>
    public async Task<Message> NextAsync(Func<Message, bool> wanted)
    {
        while (true)
        {
            var message = await _heard.Reader.ReadAsync(TestContext.Current.CancellationToken);
            if (wanted(message))
            {
                return message;
            }
        }
    }

    public Task<Message> NextAsync(string resource) => NextAsync(m => m.Route.Resource == resource);

    /// <summary>The answer to a message of the cloud.</summary>
    public Task<Message> AnswerAsync(Message to) => NextAsync(m => m.Header.ParentId == to.Header.Id);

    public ValueTask ConfirmAsync(Message message)
    {
        var answer = Message.Create("devicecontroller", "twin", Operations.Response, "twin", "\"OK\""u8.ToArray(), message.Header.Timestamp);
        return SendAsync(answer with { Header = answer.Header with { ParentId = message.Header.Id } });
    }

    public ValueTask RefuseAsync(Message message, string sentence)
    {
        var answer = Message.Create("devicecontroller", "twin", Operations.Error, "twin", Message.Text(sentence), message.Header.Timestamp);
        return SendAsync(answer with { Header = answer.Header with { ParentId = message.Header.Id } });
    }

    public ValueTask SendAsync(Message message) => socket.SendAsync(message, TestContext.Current.CancellationToken);

    public async Task<Message> SayAsync(string source, string group, string operation, string resource, string content, string? version = null)
    {
        var message = Message.Create(source, group, operation, resource, Encoding.UTF8.GetBytes(content), 1);
        message = message with { Header = message.Header with { ResourceVersion = version } };
        await SendAsync(message);
        return message;
    }

    /// <summary>Devices come to the node; returns when the node has them.</summary>
    public async Task AddAsync(params string[] members) =>
        await AnswerAsync(await SayAsync("devicecontroller", "twin", "update", "membership", $$"""{"event_id":"e","timestamp":1,"added_devices":[{{string.Join(',', members)}}],"removed_devices":null}"""));

    public void Close() => socket.Close("the test closes");

    /// <summary>Breaks without a word.</summary>
    public void Dispose() => socket.Dispose();
}
