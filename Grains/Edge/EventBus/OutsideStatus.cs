using System.Globalization;
using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>How the connection to a broker outside is doing, for the list of modules and as metrics. Without it the module is degraded.</summary>
internal sealed class OutsideStatus(Telemetry telemetry, ModuleCatalog catalog, TimeProvider time)
{
    private volatile OutsideConnection? _connection;
    private DateTimeOffset _since = time.GetUtcNow();
    private bool _wasUp;

    public void Begin(Session session)
    {
        var meter = telemetry.Meter;
        meter.CreateObservableGauge("edgeorleans.mqtt.outside.connected", () => _connection is null ? 0 : 1, null, "Whether the node is connected to the broker outside.");
        meter.CreateObservableGauge(
            "edgeorleans.mqtt.outside.waiting", () => session.Load.Messages, "{message}", "Messages that the broker outside has not acknowledged yet.");
        Describe("not connected to the broker outside yet", isDegraded: true);
    }

    public void Up(OutsideAddress address, OutsideDialect dialect, OutsideConnection connection)
    {
        (_connection, _since, _wasUp) = (connection, time.GetUtcNow(), true);
        Describe($"connected to {address} with MQTT {dialect} since {At(_since)}", isDegraded: false);
    }

    public void Down(OutsideAddress address, string why)
    {
        _connection = null;
        if (_wasUp)
        {
            (_since, _wasUp) = (time.GetUtcNow(), false);
        }

        Describe($"not connected to {address} since {At(_since)}: {why}", isDegraded: true);
    }

    private void Describe(string detail, bool isDegraded) => catalog.Describe(ModuleNames.EventBus, detail, isDegraded);

    private static string At(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
