using System.Globalization;

namespace EdgeOrleans.Fault;

/// <summary>What the module of the tests publishes from inside of a node, by the file in which it writes down what the bus has confirmed.</summary>
internal sealed class News(string file)
{
    // So many are under way at once.
    private const int AtOnce = 8;

    /// <summary>A number above all that have left so far.</summary>
    public int Bound => Last + AtOnce;

    private int Last => Lines().Select(static line => line.Number).LastOrDefault();

    /// <summary>The environment of a node that has the module.</summary>
    public Dictionary<string, string?> Environment(IEnumerable<string> topics) => new() { ["NEWS_LEDGER"] = file, ["NEWS_TOPICS"] = string.Join(',', topics) };

    /// <summary>The setting that loads the module.</summary>
    public static string Setting => $"--modules.user.assemblies.0={Path.Combine(AppContext.BaseDirectory, "NewsModule.dll")}";

    /// <summary>The confirmed numbers of a topic, in their order.</summary>
    public IReadOnlyList<int> Of(string topic) => [.. Lines().Where(line => line.Topic == topic).Select(static line => line.Number)];

    /// <summary>Waits until more was confirmed.</summary>
    public Task MoreAsync()
    {
        var before = Last;
        return UntilAsync(() => Last > before, "there are no more news");
    }

    /// <summary>Lets the module end, and waits until it has.</summary>
    public async Task EndAsync()
    {
        await File.WriteAllTextAsync(file + ".end", "");
        await UntilAsync(() => Lines().LastOrDefault().Topic == "end", "the news do not end");
    }

    private static async Task UntilAsync(Func<bool> isThere, string otherwise)
    {
        var until = DateTime.UtcNow + Patience.Default;
        while (!isThere())
        {
            Assert.True(DateTime.UtcNow < until, otherwise);
            await Task.Delay(50);
        }
    }

    private IEnumerable<(int Number, string Topic)> Lines()
    {
        if (!File.Exists(file))
        {
            yield break;
        }

        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line)
        {
            if (line.Split(' ') is [var number, var topic])
            {
                yield return (int.Parse(number, CultureInfo.InvariantCulture), topic);
            }
        }
    }
}
