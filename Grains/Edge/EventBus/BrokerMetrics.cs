using System.Diagnostics.Metrics;
using EdgeOrleans.Beehive;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The broker's instruments.</summary>
internal static class BrokerMetrics
{
    private const string Ours = "mqtt.";

    public static void Add(Telemetry telemetry, MqttBroker broker, Sessions sessions, RetainedMessages retained, Refusals refusals)
    {
        var meter = telemetry.Meter;
        meter.CreateObservableGauge("edgeorleans.mqtt.connections", () => broker.Connections, "{connection}", "Connections that are open.");
        meter.CreateObservableGauge("edgeorleans.mqtt.sessions", () => sessions.Count, "{session}", "Sessions, those of clients that are away included.");
        meter.CreateObservableGauge("edgeorleans.mqtt.waiting", () => sessions.Waiting, "{message}", "Messages that wait for clients or are unacknowledged.");
        meter.CreateObservableGauge("edgeorleans.mqtt.retained", () => retained.Load.Messages, "{message}", "Retained messages.");
        meter.CreateObservableCounter(
            "edgeorleans.mqtt.refused",
            () => refusals.Snapshot()
                .Where(static refused => refused.Key.StartsWith(Ours, StringComparison.Ordinal))
                .Select(static refused => new Measurement<long>(refused.Value, KeyValuePair.Create<string, object?>("reason", refused.Key))),
            "{refusal}",
            "What was refused, dropped or ended, by reason.");
    }
}
