using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace EdgeOrleans.Beehive;

/// <summary>The meter and the activity source of this process, with the beehive's instruments.</summary>
public sealed class Telemetry : IDisposable
{
    /// <summary>The name of both.</summary>
    public const string Name = "EdgeOrleans";

    public Telemetry(IMeterFactory meters, Responses responses)
    {
        Meter = meters.Create(Name);
        Sent = Meter.CreateCounter<long>("edgeorleans.beehive.sent", "{message}", "Messages put into the beehive.");
        Refused = Meter.CreateCounter<long>("edgeorleans.beehive.refused", "{message}", "Messages refused because their address was full.");
        Meter.CreateObservableGauge("edgeorleans.beehive.waiting", () => responses.Open, "{question}", "Questions that wait for an answer.");
    }

    /// <summary>For the instruments of all rooms.</summary>
    public Meter Meter { get; }

    /// <summary>For the activities of all rooms.</summary>
    public ActivitySource Activities { get; } = new(Name);

    internal Counter<long> Sent { get; }

    internal Counter<long> Refused { get; }

    public void Dispose() => Activities.Dispose();
}
