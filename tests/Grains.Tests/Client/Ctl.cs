using System.Text.Json;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Client;

/// <summary>Runs <c>edgectl</c> in this process, as in a pipe.</summary>
internal static class Ctl
{
    public static async Task<Outcome> RunAsync(string[] args, string input = "", CancellationToken cancellation = default)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var reader = new StringReader(input);
        var exitCode = await EdgeCtl.RunAsync(args, new Terminal(output, error, reader, Draws: false, Asks: false), cancellation: cancellation);
        return new Outcome(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>The pump of the fixed names: wants 25, has 22.</summary>
    public static DeviceView Pump(string id) => new()
    {
        Id = id,
        Name = id.Split('/')[1],
        State = "online",
        Twin = new DeviceView { Id = id }.Twin
            .Add("temperature", new TwinProperty
            {
                Type = "int",
                Expected = new TwinValue { Value = "25", Timestamp = 2000, Version = new TwinVersion(0, 1) },
                Actual = new TwinValue { Value = "22", Timestamp = 1000, Version = new TwinVersion(0, 4) },
            })
            .Add("old", new TwinProperty { Type = TwinProperty.DeletedType, Actual = new TwinValue { Version = new TwinVersion(0, 2) } }),
    };

    internal sealed record Outcome(int ExitCode, string Out, string Error)
    {
        public JsonElement Json
        {
            get
            {
                Assert.True(Out.Length > 0, $"nothing was printed; exit code {ExitCode}; {Error}");
                return JsonDocument.Parse(Out).RootElement;
            }
        }

        /// <summary>Every line of standard error.</summary>
        public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        /// <summary>Every line of standard output, each without repeated spaces.</summary>
        public string[] Lines => [.. Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
    }
}
