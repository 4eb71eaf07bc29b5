using System.Collections.Concurrent;
using EdgeOrleans.Beehive;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>The links that this silo holds, and when their nodes were last heard: written down for all together.</summary>
internal sealed partial class NodeLinks : IAsyncDisposable
{
    private static readonly TimeSpan BetweenWrites = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<NodeLink, byte> _links = [];
    private readonly INodeIndex _index;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeLinks> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _writing = Task.CompletedTask;
    private DateTimeOffset _written;

    public NodeLinks(INodeIndex index, TimeProvider time, Telemetry telemetry, ILogger<NodeLinks> logger)
    {
        (_index, _time, _logger) = (index, time, logger);
        telemetry.Meter.CreateObservableGauge("edgeorleans.cloud.links", () => _links.Count, "{link}", "Nodes that are linked to this silo.");
    }

    public int Count => _links.Count;

    public void Add(NodeLink link) => _links[link] = 0;

    public void Remove(NodeLink link) => _links.TryRemove(link, out _);

    /// <summary>Begins to write down when nodes were heard. No node is linked yet, whatever was written down before.</summary>
    public async Task BeginAsync(string hub)
    {
        await _index.NoneConnectedAsync(hub);
        _writing = WriteAsync();
    }

    /// <summary>Ends all links, and returns when they have ended or the time is over.</summary>
    public async Task CloseAsync(string why, TimeSpan within)
    {
        await _stopping.CancelAsync();
        await _writing;
        var links = _links.Keys.ToList();
        links.ForEach(link => link.Close(why));
        await Task.WhenAll(links.Select(static l => l.Ended)).WaitAsync(within, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync("the cloud stops", TimeSpan.Zero);
        _stopping.Dispose();
    }

    private async Task WriteAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(BetweenWrites, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var since = _written;
            _written = _time.GetUtcNow();
            await CloseExpiredAsync(_written);
            try
            {
                await _index.SeenAsync([.. _links.Keys.Where(l => l.LastHeard >= since).Select(static l => (l.Connection.Node, l.LastHeard))]);
            }
            catch (Exception e)
            {
                _written = since;
                LogNotWritten(e);
            }
        }
    }

    // A certificate counts at the door, and no longer than it says: a link that is held open is no way around its end.
    private async Task CloseExpiredAsync(DateTimeOffset now)
    {
        foreach (var link in _links.Keys.Where(l => l.Connection.CertificateExpires <= now))
        {
            await link.CloseAsync("its certificate has expired", null);
        }
    }

    [LoggerMessage(LogLevel.Warning, "When nodes were last heard could not be written down; it is tried again")]
    private partial void LogNotWritten(Exception exception);
}
