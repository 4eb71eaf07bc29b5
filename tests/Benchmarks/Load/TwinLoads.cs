using System.Diagnostics;
using System.Globalization;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Benchmarks.Load;

/// <summary>Loads for whatever answers twin requests at an MQTT port.</summary>
internal static class TwinLoads
{
    /// <summary>Requests that follow one another without pause.</summary>
    public static async Task<LoadFigures> ClosedAsync(int port, LoadShape shape, TimeSpan warmUp, TimeSpan length)
    {
        var connections = await Task.WhenAll(Enumerable.Range(0, shape.Connections).Select(c => LoadConnection.OpenAsync(port, shape, c)));
        var begin = Stopwatch.GetTimestamp() + Ticks(warmUp);
        await Task.WhenAll(connections.Select(connection => connection.RunAsync(begin, begin + Ticks(length))));
        Array.ForEach(connections, connection => connection.Dispose());
        return LoadFigures.Of([.. connections.SelectMany(c => c.Milliseconds)], length, connections.Sum(c => c.Bad));
    }

    /// <summary>Fifty updates a second, whatever the answers do.</summary>
    public static async Task<LoadFigures> CalmAsync(int port, TimeSpan length)
    {
        var devices = Enumerable.Range(0, 100).Select(number => new BenchDevice(number, LoadShape.Serial)).ToArray();
        using var mqtt = await MqttSocket.ConnectAsync(port, "bench-calm", topics: [.. devices.Select(device => device.ResultTopic)]);
        var milliseconds = new List<double>();
        var reading = ReadCalmAsync(mqtt, devices, milliseconds);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var sent = 0;
        for (var begin = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begin) < length; sent++)
        {
            await pace.WaitForNextTickAsync();
            var device = devices[sent % devices.Length];
            device.SentAt = Stopwatch.GetTimestamp();
            await mqtt.SendAsync(device.Next().ToArray());
        }

        await Task.Delay(TimeSpan.FromSeconds(1));
        mqtt.Dispose();
        await reading;
        return LoadFigures.Of([.. milliseconds], length, sent - milliseconds.Count);
    }

    /// <summary>Lets that many devices report once, so that their twins are stored.</summary>
    public static async Task StoreAsync(int port, int twins)
    {
        const int UnderWay = 50;
        using var mqtt = await MqttSocket.ConnectAsync(port, "bench-store", topics: "$hw/events/device/+/+/twin/update/result");
        for (var (sent, answered) = (0, 0); answered < twins; answered++)
        {
            for (; sent < twins && sent - answered < UnderWay; sent++)
            {
                var topic = string.Create(CultureInfo.InvariantCulture, $"$hw/events/device/default/stored-{sent}/twin/update");
                await mqtt.SendAsync(MqttPacket.Message(topic, TwinJson.Report("s", ("temperature", "22"), ("humidity", "40"))));
            }

            await mqtt.ReadAsync(MqttPacket.Publish);
        }
    }

    private static async Task ReadCalmAsync(MqttSocket mqtt, BenchDevice[] devices, List<double> milliseconds)
    {
        try
        {
            while (await mqtt.ReadAsync() is { } packet)
            {
                var now = Stopwatch.GetTimestamp();
                if (packet.Type == MqttPacket.Publish && devices[BenchDevice.NumberIn(packet.Topic)] is var device && device.IsGood(packet.Payload))
                {
                    milliseconds.Add(Stopwatch.GetElapsedTime(device.SentAt, now).TotalMilliseconds);
                }
            }
        }
        catch (ObjectDisposedException)
        {
            // The time is over.
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
