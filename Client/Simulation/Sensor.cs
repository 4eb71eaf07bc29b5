using System.Globalization;

namespace EdgeOrleans.Client.Simulation;

/// <summary>One property of a virtual device: its value wanders between two limits until somebody says what it should be.</summary>
internal sealed class Sensor
{
    private readonly double _low;
    private readonly double _high;
    private double _now;
    private string? _adopted;

    public Sensor(string name, string type, double low, double high)
    {
        (Name, Type, _low, _high) = (name, type, low, high);
        _now = low + ((high - low) * Random.Shared.NextDouble());
    }

    public string Name { get; }

    public string Type { get; }

    /// <summary>The sensors of a device with so many properties.</summary>
    public static IEnumerable<Sensor> Set(int properties)
    {
        Sensor[] known =
        [
            new("temperature", "int", 18, 28), new("humidity", "float", 35, 60), new("pressure", "float", 0.9, 1.1),
            new("flow", "float", 2, 8), new("level", "int", 20, 95), new("voltage", "float", 228, 232),
            new("current", "float", 1, 6), new("vibration", "float", 0.1, 2.5), new("speed", "int", 1200, 1500),
        ];
        return known.Concat(Enumerable.Range(known.Length + 1, properties).Select(i => new Sensor($"sensor-{i}", "float", 0, 100))).Take(properties);
    }

    /// <summary>A property the device did not know before somebody set it.</summary>
    public static Sensor Of(string name) => new(name, "string", 0, 0);

    /// <summary>The device does as it is told.</summary>
    /// <returns>Whether that changes anything.</returns>
    public bool Adopt(string value)
    {
        if (_adopted == value)
        {
            return false;
        }

        _adopted = value;
        return true;
    }

    /// <summary>The next measured value.</summary>
    public string Measure()
    {
        _now = Math.Clamp(_now + ((Random.Shared.NextDouble() - 0.5) * (_high - _low) / 5), _low, _high);
        return _adopted ?? _now.ToString(Type == "int" ? "0" : "0.0##", CultureInfo.InvariantCulture);
    }
}
