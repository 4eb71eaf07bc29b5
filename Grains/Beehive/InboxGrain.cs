using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace EdgeOrleans.Beehive;

/// <summary>The end of a module's streams: hands what arrives to the module's queue in this process. Key: the module's name.</summary>
[GrainType("beehive.inbox")]
[ImplicitStreamSubscription(Groups.Bus)]
[ImplicitStreamSubscription(Groups.Hub)]
[ImplicitStreamSubscription(Groups.Twin)]
[ImplicitStreamSubscription(Groups.Meta)]
[ImplicitStreamSubscription(Groups.Edged)]
[ImplicitStreamSubscription(Groups.User)]
[ImplicitStreamSubscription(Groups.Mesh)]
internal sealed partial class InboxGrain(ModuleQueues modules, Responses responses, Refusals refusals, TimeProvider time, ILogger<InboxGrain> logger)
    : Grain, IGrainWithStringKey, IStreamSubscriptionObserver
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) => handleFactory.Create<Message>().ResumeAsync(new Inlet(this));

    private void Put(Message message)
    {
        var name = this.GetPrimaryKeyString();
        if (modules.Find(name)?.Put(message) is true)
        {
            return;
        }

        // Sent in the moment in which the module left.
        refusals.Count("beehive.left");
        LogTooLate(name, message.Route.Source, message.Route.Resource);
        if (message.Header.Sync)
        {
            responses.Complete(message.Refuse("beehive", 503, $"module {name} is stopped", time.GetUtcNow().ToUnixTimeMilliseconds()));
        }
    }

    [LoggerMessage(LogLevel.Warning, "Module {Module} is stopped: a message of {Source} about {Resource} came too late")]
    private partial void LogTooLate(string module, string source, string resource);

    /// <summary>One stream of the module. Orleans repeats a batch whose call took too long: what was taken once is not taken again.</summary>
    private sealed class Inlet(InboxGrain inbox) : IAsyncBatchObserver<Message>
    {
        private long _last;

        public Task OnNextAsync(IList<SequentialItem<Message>> items)
        {
            for (var i = 0; i < items.Count; i++)
            {
                var item = items[i];
                if (((EventSequenceTokenV2)item.Token).SequenceNumber is var number && number > _last)
                {
                    _last = number;
                    inbox.Put(item.Item);
                }
            }

            return Task.CompletedTask;
        }

        public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
    }
}
