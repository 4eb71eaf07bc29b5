using System.Buffers.Text;
using System.Globalization;
using System.Text;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Benchmarks.Load;

/// <summary>One device of a load: its next request as a packet that is made once, and patched for each request.</summary>
internal sealed class BenchDevice
{
    private const string Prefix = "$hw/events/device/default/bench-";
    private const int Digits = 16;
    private static readonly string Mark = new('#', Digits);
    private static readonly byte[] CodeMark = "\"code\":"u8.ToArray();

    private readonly byte[] _packet;
    private readonly byte[] _value = new byte[Digits];
    private readonly int[] _marks;
    private long _next = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000;

    public BenchDevice(int number, LoadShape shape)
    {
        var verb = shape.Reads ? "get" : "update";
        ResultTopic = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}/twin/{verb}/result");
        var payload = shape.Reads
            ? $"{{\"event_id\":\"{Mark}\",\"timestamp\":0}}"
            : TwinJson.Report(Mark, [.. Enumerable.Range(0, shape.Properties).Select(p => ($"p{p}", Mark))]);
        _packet = MqttPacket.Message(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}/twin/{verb}"), payload);
        _marks = [.. MarksIn(_packet)];
    }

    /// <summary>Where the answers come.</summary>
    public string ResultTopic { get; }

    /// <summary>When the request under way was sent; 0 when none is.</summary>
    public long SentAt { get; set; }

    /// <summary>The number of the device that a topic is about.</summary>
    public static int NumberIn(ReadOnlySpan<byte> topic) => Utf8Parser.TryParse(topic[Prefix.Length..], out int number, out _) ? number : -1;

    /// <summary>The next request. It is good until the one after it.</summary>
    public ReadOnlySpan<byte> Next()
    {
        Utf8Formatter.TryFormat(++_next, _value, out _, new System.Buffers.StandardFormat('D', Digits));
        foreach (var mark in _marks)
        {
            _value.CopyTo(_packet, mark);
        }

        return _packet;
    }

    /// <summary>Whether an answer is no error, and bears the value that was sent last.</summary>
    public bool IsGood(ReadOnlySpan<byte> answer) => answer.IndexOf(_value) >= 0 && answer.IndexOf(CodeMark) < 0;

    private static IEnumerable<int> MarksIn(byte[] packet)
    {
        var text = Encoding.Latin1.GetString(packet);
        for (var at = text.IndexOf(Mark, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Mark, at + Digits, StringComparison.Ordinal))
        {
            yield return at;
        }
    }
}
