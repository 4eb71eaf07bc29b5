using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace EdgeOrleans.Beehive;

public sealed class EntityGrainTests
{
    [Fact]
    public async Task What_was_delivered_once_is_not_handled_again()
    {
        var entity = new Listing();
        await entity.OnNextAsync([Item(5), Item(6)]);
        await entity.OnNextAsync([Item(5), Item(6)]);
        await entity.OnNextAsync([Item(6), Item(7)]);

        Assert.Equal(["number/5", "number/6", "number/7"], entity.Handled);
    }

    private static SequentialItem<Message> Item(int number) => new(Messages.Numbered(number), new EventSequenceTokenV2(number));

    private sealed class Listing() : EntityGrain(NullLogger.Instance)
    {
        public List<string> Handled { get; } = [];

        protected override Task HandleAsync(IReadOnlyList<Message> messages)
        {
            Handled.AddRange(messages.Select(m => m.Route.Resource));
            return Task.CompletedTask;
        }

        protected override Task OnFailedAsync(IReadOnlyList<Message> messages, Exception error) => Task.CompletedTask;
    }
}
