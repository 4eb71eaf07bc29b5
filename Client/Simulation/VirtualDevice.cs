using System.Buffers;
using System.Text.Json;

namespace EdgeOrleans.Client.Simulation;

/// <summary>A device that reports and does as it is told. It has one report under way: the next one waits for its answer.</summary>
internal sealed class VirtualDevice(string id, int properties, Measurements measurements, TimeProvider time)
{
    // Longer than a node waits for its disk: after that nobody answers any more.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private readonly List<Sensor> _sensors = [.. Sensor.Set(properties)];
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private long _sequence;
    private long _sentAt;
    private bool _isWaiting;
    private byte[]? _report;

    public string UpdateTopic { get; } = $"$hw/events/device/{id}/twin/update";

    public string ResultTopic { get; } = $"$hw/events/device/{id}/twin/update/result";

    public string DeltaTopic { get; } = $"$hw/events/device/{id}/twin/update/delta";

    public string StateTopic { get; } = $"$hw/events/device/{id}/state/update";

    public byte[] State(string state) => Document(json => json.WriteString("state", state));

    /// <summary>The next report, unless the last one is still to be answered.</summary>
    public byte[]? NextReport()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_isWaiting && time.GetElapsedTime(_sentAt, now) < Patience)
            {
                measurements.HeldBack();
                return null;
            }

            measurements.Sent(replaces: _isWaiting);
            (_isWaiting, _sentAt) = (true, now);
            _sequence++;
            return _report = Document(WriteTwin);
        }
    }

    /// <summary>The report did not reach the broker.</summary>
    public void Failed(byte[] report)
    {
        lock (_lock)
        {
            if (report == _report)
            {
                measurements.Failed(wasWaiting: _isWaiting);
                _isWaiting = false;
            }
        }
    }

    /// <summary>A report was due while nobody was there to take it.</summary>
    public void Missed()
    {
        if (NextReport() is { } report)
        {
            Failed(report);
        }
    }

    public void Answered(ReadOnlySequence<byte> payload)
    {
        using var document = JsonDocument.Parse(payload);
        lock (_lock)
        {
            if (!_isWaiting || Text(document.RootElement, "event_id") != EventId)
            {
                return;
            }

            _isWaiting = false;
            var code = document.RootElement.TryGetProperty("code", out var value) ? value.GetInt32() : 0;
            measurements.Answered(time.GetElapsedTime(_sentAt), code, code == 0 ? "" : Text(document.RootElement, "reason"));
        }
    }

    /// <summary>Somebody expects other values than the device has.</summary>
    /// <returns>Whether the device has something new to report.</returns>
    public bool Adopt(ReadOnlySequence<byte> payload)
    {
        using var document = JsonDocument.Parse(payload);
        if (!document.RootElement.TryGetProperty("delta", out var delta) || delta.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        lock (_lock)
        {
            var adopted = delta.EnumerateObject().Count(wanted => Named(wanted.Name).Adopt(wanted.Value.GetString() ?? ""));
            measurements.Adopted(adopted);
            return adopted > 0;
        }
    }

    private string EventId => $"sim-{_run}-{_sequence}";

    private Sensor Named(string name)
    {
        var sensor = _sensors.Find(s => s.Name == name);
        if (sensor is null)
        {
            _sensors.Add(sensor = Sensor.Of(name));
        }

        return sensor;
    }

    private byte[] Document(Action<Utf8JsonWriter> rest)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("event_id", EventId);
            json.WriteNumber("timestamp", time.GetUtcNow().ToUnixTimeMilliseconds());
            rest(json);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    private void WriteTwin(Utf8JsonWriter json)
    {
        json.WriteStartObject("twin");
        foreach (var sensor in _sensors)
        {
            json.WriteStartObject(sensor.Name);
            json.WriteStartObject("actual");
            json.WriteString("value", sensor.Measure());
            json.WriteEndObject();
            json.WriteStartObject("metadata");
            json.WriteString("type", sensor.Type);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static string Text(JsonElement map, string name) =>
        map.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
