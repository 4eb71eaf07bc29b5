using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using EdgeOrleans.Modules;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace EdgeOrleans.Beehive;

/// <summary>The queues behind the beehive's streams: two bounded channels of this silo, each read by a pump of its own that waits instead of polling.</summary>
internal sealed partial class BeehiveAdapter(
    IOptions<BeehiveOptions> options, Refusals refusals, Telemetry telemetry, TimeProvider time, ILogger<BeehiveAdapter> logger)
    : IQueueAdapterFactory, IQueueAdapter, IQueueAdapterCache, IStreamFailureHandler
{
    public const string Provider = "beehive";

    private readonly BeehiveOptions _options = options.Value;
    private readonly BeehiveLanes _lanes = new(Provider);
    private readonly Channel<Delivery> _toEntities = Bounded(options.Value);
    private readonly Channel<Delivery> _toModules = Bounded(options.Value);

    private readonly ConcurrentDictionary<StreamId, int> _waiting = new();

    /// <summary>How many messages of one address may wait.</summary>
    public int PerKey => _options.PerKey;

    public string Name => Provider;

    public bool IsRewindable => false;

    public StreamProviderDirection Direction => StreamProviderDirection.ReadWrite;

    public bool ShouldFaultSubsriptionOnError => false;

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public IQueueAdapterCache GetQueueAdapterCache() => this;

    public IStreamQueueMapper GetStreamQueueMapper() => _lanes;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => Task.FromResult<IStreamFailureHandler>(this);

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) =>
        new Receiver((queueId.Equals(_lanes.Modules) ? _toModules : _toEntities).Reader, _options.LongPoll, time);

    public IQueueCache CreateQueueCache(QueueId queueId) => new KeyLogs(_options.Capacity, _options.Batch, Left, CountUnread);

    /// <summary>How many messages of an address wait or are being delivered.</summary>
    public int Waiting(StreamId stream) => _waiting.GetValueOrDefault(stream);

    /// <summary>Puts a message into the queue; it waits only while the queue of all addresses is full.</summary>
    /// <exception cref="BeehiveFullException">The address has as many messages waiting as it may have.</exception>
    public ValueTask PublishAsync(StreamId stream, Message message, CancellationToken cancellation)
    {
        if (_waiting.AddOrUpdate(stream, 1, static (_, n) => n + 1) > _options.PerKey)
        {
            Left(stream, 1);
            return ValueTask.FromException(Full(Describe(stream)));
        }

        return WriteAsync(stream, message, cancellation);
    }

    /// <summary>Puts a message into the queue even when its address is full: it ends the address and must follow all that is there.</summary>
    public ValueTask PublishLastAsync(StreamId stream, Message message, CancellationToken cancellation)
    {
        _waiting.AddOrUpdate(stream, 1, static (_, n) => n + 1);
        return WriteAsync(stream, message, cancellation);
    }

    /// <summary>The refusal of an address that has enough, counted.</summary>
    public BeehiveFullException Full(string address)
    {
        refusals.Count("beehive.full");
        telemetry.Refused.Add(1);
        return new BeehiveFullException(address, _options.PerKey);
    }

    public async Task QueueMessageBatchAsync<T>(
        StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
    {
        foreach (var item in events)
        {
            if (item is not Message message)
            {
                throw new ArgumentException($"the beehive carries {nameof(Message)} only, not {typeof(T).Name}", nameof(events));
            }

            await PublishAsync(streamId, message, CancellationToken.None);
        }
    }

    public Task OnDeliveryFailure(GuidId subscriptionId, string streamProviderName, StreamId streamIdentity, StreamSequenceToken? sequenceToken)
    {
        refusals.Count("beehive.undelivered");
        LogUndelivered(Describe(streamIdentity));
        return Task.CompletedTask;
    }

    public Task OnSubscriptionFailure(GuidId subscriptionId, string streamProviderName, StreamId streamIdentity, StreamSequenceToken? sequenceToken) =>
        OnDeliveryFailure(subscriptionId, streamProviderName, streamIdentity, sequenceToken);

    private ValueTask WriteAsync(StreamId stream, Message message, CancellationToken cancellation)
    {
        var delivery = new Delivery { StreamId = stream, Message = message };
        telemetry.Sent.Add(1);
        var queue = (BeehiveLanes.IsOfEntity(stream) ? _toEntities : _toModules).Writer;
        return queue.TryWrite(delivery) ? ValueTask.CompletedTask : WaitToWriteAsync(queue, delivery, cancellation);
    }

    private async ValueTask WaitToWriteAsync(ChannelWriter<Delivery> queue, Delivery delivery, CancellationToken cancellation)
    {
        try
        {
            await queue.WriteAsync(delivery, cancellation);
        }
        catch
        {
            Left(delivery.StreamId, 1);
            throw;
        }
    }

    private void Left(StreamId stream, int count)
    {
        while (_waiting.TryGetValue(stream, out var n))
        {
            if (n <= count ? _waiting.TryRemove(KeyValuePair.Create(stream, n)) : _waiting.TryUpdate(stream, n - count, n))
            {
                return;
            }
        }
    }

    private void CountUnread(StreamId stream, int count)
    {
        for (var i = 0; i < count; i++)
        {
            refusals.Count("beehive.unread");
        }

        LogUnread(count, Describe(stream));
    }

    private static Channel<Delivery> Bounded(BeehiveOptions options) => Channel.CreateBounded<Delivery>(
        new BoundedChannelOptions(options.Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private static string Describe(StreamId stream) =>
        BeehiveLanes.IsOfEntity(stream) ? $"({stream.GetNamespace()}, {stream.GetKeyAsString()})" : stream.GetKeyAsString();

    [LoggerMessage(LogLevel.Error, "{Address} did not take its messages in time; what was handed to it is given up")]
    private partial void LogUndelivered(string address);

    [LoggerMessage(LogLevel.Error, "{Count} messages to {Address} are lost: nobody reads it any more")]
    private partial void LogUnread(int count, string address);

    [SuppressMessage("Design", "CA1001", Justification = "Shutdown is its end; nothing is left to dispose of then.")]
    private sealed class Receiver(ChannelReader<Delivery> queue, TimeSpan longPoll, TimeProvider time) : IQueueAdapterReceiver
    {
        private const int MostAtOnce = 256;
        private readonly CancellationTokenSource _stop = new();

        // Kept from poll to poll: the pump waits before nearly every message.
        private CancellationTokenSource _wait = new(Timeout.InfiniteTimeSpan, time);

        // Newer than anything before a restart.
        private long _sequence = time.GetUtcNow().UtcTicks;

        public Task Initialize(TimeSpan timeout) => Task.CompletedTask;

        public async Task Shutdown(TimeSpan timeout)
        {
            // CancelAsync: never run the pump's continuations here.
            await _stop.CancelAsync();
            await _wait.CancelAsync();
        }

        public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) => GetQueueMessagesAsync(maxCount, CancellationToken.None);

        // Long poll: the pump's timer would be the latency otherwise, and a short timer the idle CPU.
        public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
        {
            if (!queue.TryPeek(out _) && !await WaitAsync(cancellationToken))
            {
                return [];
            }

            var most = Math.Clamp(maxCount, 1, MostAtOnce);
            var messages = new List<IBatchContainer>();
            while (messages.Count < most && queue.TryRead(out var delivery))
            {
                delivery.Token = new EventSequenceTokenV2(++_sequence);
                messages.Add(delivery);
            }

            return messages;
        }

        // The cache has said so already, key by key.
        public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

        private async ValueTask<bool> WaitAsync(CancellationToken cancellation)
        {
            if (!_wait.TryReset())
            {
                _wait.Dispose();
                _wait = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
            }

            if (_stop.IsCancellationRequested)
            {
                return false;
            }

            using var stopped = cancellation.UnsafeRegister(static wait => _ = ((CancellationTokenSource)wait!).CancelAsync(), _wait);
            _wait.CancelAfter(longPoll);
            try
            {
                return await queue.WaitToReadAsync(_wait.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }
}
