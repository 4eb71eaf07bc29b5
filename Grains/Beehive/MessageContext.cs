using System.Diagnostics;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Beehive;

/// <summary>Sends over Orleans streams, answers by waiters.</summary>
internal sealed partial class MessageContext(
    BeehiveAdapter streams, ModuleQueues modules, EntityKinds kinds, Responses responses, Refusals refusals, TimeProvider time, ILogger<MessageContext> logger)
    : IMessageContext
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(1);

    public ValueTask SendAsync(Address to, Message message, CancellationToken cancellation = default) => to.Namespace is { } kind
        ? SendToEntityAsync(kind, to.Key, message, cancellation)
        : SendToModuleAsync(to.Key, message, cancellation);

    public ValueTask<Message> ReceiveAsync(string module, CancellationToken cancellation = default) =>
        modules.Find(module) is { } queue ? queue.ReceiveAsync(cancellation) : ValueTask.FromException<Message>(modules.Unavailable(module));

    public async Task<Message> SendSyncAsync(Address to, Message message, TimeSpan timeout = default, CancellationToken cancellation = default)
    {
        timeout = timeout <= TimeSpan.Zero ? DefaultTimeout : timeout > LongestTimeout ? LongestTimeout : timeout;
        var question = message.Header.Sync ? message : message with { Header = message.Header with { Sync = true } };
        var answer = new Answer();

        // Before the question leaves, so that no answer comes too early. The deadline is ours: the sweep of all waiters is too coarse.
        responses.Expect(question.Header.Id, answer, TimeSpan.MaxValue);
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = cancellation.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation) : null;
        var end = either?.Token ?? deadline.Token;
        try
        {
            await SendAsync(to, question, end);
            return await answer.Task.WaitAsync(end);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new BeehiveTimeoutException(to.ToString(), message.Route.Resource, timeout);
        }
        finally
        {
            responses.Forget(question.Header.Id);
        }
    }

    public ValueTask<bool> SendRespAsync(Message response, CancellationToken cancellation = default)
    {
        var waited = responses.Complete(response);
        if (!waited)
        {
            refusals.Count("beehive.late-answer");
            LogNobodyWaits(response.Header.ParentId, response.Route.Source, response.Route.Resource);
        }

        return ValueTask.FromResult(waited);
    }

    public async ValueTask SendToGroupAsync(string group, Message message, CancellationToken cancellation = default)
    {
        List<string>? full = null;
        foreach (var member in modules.Members(group))
        {
            try
            {
                await SendAsync(member, StreamId.Create(group, member.Name), message, cancellation);
            }
            catch (BeehiveFullException)
            {
                (full ??= []).Add(member.Name);
            }
        }

        if (full is not null)
        {
            throw new BeehiveFullException(string.Join(", ", full), streams.PerKey);
        }
    }

    public async Task<IReadOnlyList<Message>> SendToGroupSyncAsync(
        string group, Message message, TimeSpan timeout = default, CancellationToken cancellation = default)
    {
        var members = modules.Members(group);
        var questions = new Task<Message>[members.Length];
        for (var i = 0; i < questions.Length; i++)
        {
            // One id for each member: an answer says whose question it answers.
            var own = message with { Header = message.Header with { Id = Guid.NewGuid().ToString() } };
            questions[i] = SendSyncAsync(Address.Module(members[i].Name), own, timeout, cancellation);
        }

        await ((Task)Task.WhenAll(questions)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        cancellation.ThrowIfCancellationRequested();
        var silent = members.Where((_, i) => questions[i].Exception?.InnerException is BeehiveTimeoutException).Select(m => m.Name).ToList();
        if (silent.Count > 0)
        {
            throw new BeehiveTimeoutException(string.Join(", ", silent), message.Route.Resource, timeout <= TimeSpan.Zero ? DefaultTimeout : timeout);
        }

        var answers = new List<Message>(questions.Length);
        foreach (var question in questions)
        {
            var answer = await question;
            answers.Add(answer with { Header = answer.Header with { ParentId = message.Header.Id } });
        }

        return answers;
    }

    private ValueTask SendToEntityAsync(string kind, string key, Message message, CancellationToken cancellation)
    {
        if (!kinds.Contains(kind))
        {
            refusals.Count("beehive.module-unavailable");
            return ValueTask.FromException(new ModuleUnavailableException($"({kind}, {key})", "unknown"));
        }

        return streams.PublishAsync(StreamId.Create(kind, key), Traced(message), cancellation);
    }

    private ValueTask SendToModuleAsync(string name, Message message, CancellationToken cancellation)
    {
        if (modules.Find(name) is { IsClosed: false } module)
        {
            return SendAsync(module, module.Home, message, cancellation);
        }

        refusals.Count("beehive.module-unavailable");
        return ValueTask.FromException(modules.Unavailable(name));
    }

    private ValueTask SendAsync(ModuleQueue module, StreamId stream, Message message, CancellationToken cancellation) =>
        module.IsFull ? ValueTask.FromException(streams.Full(module.Name)) : streams.PublishAsync(stream, Traced(message), cancellation);

    private static Message Traced(Message message) =>
        Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } && message.Header.TraceParent is null
            ? message with { Header = message.Header with { TraceParent = id } }
            : message;

    [LoggerMessage(LogLevel.Debug, "Nobody waits for the answer to {Question} of {Source} about {Resource}")]
    private partial void LogNobodyWaits(string? question, string source, string resource);

    private sealed class Answer : IResponseHandler
    {
        private readonly TaskCompletionSource<Message> _message = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Message> Task => _message.Task;

        public void OnResponse(Message response) => _message.TrySetResult(response);

        public void OnTimeout(string messageId) => _message.TrySetCanceled();
    }
}
