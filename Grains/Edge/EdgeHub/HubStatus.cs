using System.Diagnostics.Metrics;
using System.Globalization;
using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>How the link to the cloud is doing, for the list of modules, for readiness and as metrics.</summary>
/// <remarks>A node without its link is ready and degraded: devices are served, and what is for the cloud waits.</remarks>
internal sealed class HubStatus
{
    private readonly ModuleCatalog _catalog;
    private readonly TimeProvider _time;
    private readonly Counter<long> _links;
    private readonly Counter<long> _rotations;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _received;
    private Func<int> _underWay = static () => 0;
    private DateTimeOffset _since;
    private bool _isConnected;

    public HubStatus(Telemetry telemetry, ModuleCatalog catalog, TimeProvider time)
    {
        (_catalog, _time) = (catalog, time);
        _since = time.GetUtcNow();
        var meter = telemetry.Meter;
        meter.CreateObservableGauge("edgeorleans.hub.connected", () => Volatile.Read(ref _isConnected) ? 1 : 0, null, "Whether the link to the cloud is up.");
        meter.CreateObservableGauge("edgeorleans.hub.under_way", () => _underWay(), "{message}", "Messages that the cloud has not answered yet.");
        _links = meter.CreateCounter<long>("edgeorleans.hub.links", "{link}", "Links to the cloud that came up; all but the first are reconnects or rotations.");
        _rotations = meter.CreateCounter<long>("edgeorleans.hub.rotations", "{certificate}", "Certificates that were replaced by their next.");
        _failures = meter.CreateCounter<long>("edgeorleans.hub.failures", "{failure}", "Tries to join or link that failed, and links that broke, by reason.");
        _received = meter.CreateCounter<long>("edgeorleans.hub.received", "{message}", "Messages of the cloud.");
    }

    /// <summary>Whether the link is up.</summary>
    public bool IsConnected => Volatile.Read(ref _isConnected);

    /// <summary>How often the link came up since the start.</summary>
    public long Links { get; private set; }

    /// <summary>A link is up.</summary>
    public void Up(Uri cloud, string server, Func<int> underWay)
    {
        Links++;
        _links.Add(1);
        _underWay = underWay;
        if (!_isConnected)
        {
            _since = _time.GetUtcNow();
            Volatile.Write(ref _isConnected, true);
        }

        Describe($"connected to {cloud.GetLeftPart(UriPartial.Authority)} ({(server.Length > 0 ? server : "a cloud that does not say what it is")}) since {At(_since)}", false);
    }

    /// <summary>There is no link, and why.</summary>
    public void Down(string reason, string why)
    {
        _failures.Add(1, new KeyValuePair<string, object?>("reason", reason));
        _underWay = static () => 0;
        if (_isConnected)
        {
            _since = _time.GetUtcNow();
            Volatile.Write(ref _isConnected, false);
        }

        Describe($"not connected since {At(_since)}: {why}", true);
    }

    public void Rotated() => _rotations.Add(1);

    public void Received() => _received.Add(1);

    public void Begin() => Describe("not connected yet", true);

    private void Describe(string detail, bool isDegraded) => _catalog.Describe(ModuleNames.EdgeHub, detail, isDegraded);

    private static string At(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
