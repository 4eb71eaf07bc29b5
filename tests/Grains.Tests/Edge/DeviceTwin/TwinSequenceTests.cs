using System.Text;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>Long random histories: what must hold after every step.</summary>
public sealed class TwinSequenceTests
{
    private static readonly string[] Names = ["a", "b", "c", "d"];
    private static readonly string[] Values = ["1", "2", "x", "", "1.5", "true"];
    private static readonly string[] Types = ["int", "string", "float", "boolean", "Updated", "deleted", ""];

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public void Versions_never_fall_and_a_refused_update_changes_nothing(int seed)
    {
        var random = new Random(seed);
        var node = RuleNode.WithDevice();
        for (var i = 0; i < 1_000; i++)
        {
            var before = node.Device;
            if (random.Next(4) == 0)
            {
                node.CloudUpdate(Request(random, withVersions: true));
            }
            else
            {
                node.Update(Request(random, withVersions: false));
            }

            foreach (var (name, property) in before.Twin)
            {
                AssertNotOlder(property.Expected, node.Device.Twin[name].Expected);
                AssertNotOlder(property.Actual, node.Device.Twin[name].Actual);
                Assert.True(property.Optional || !node.Device.Twin[name].Optional || property.IsDeleted);
            }

            if (node.Code != 0)
            {
                Assert.Same(before, node.Device);
                Assert.Single(node.Published);
            }

            Assert.DoesNotContain(node.Published, p => p.Payload.Contains("\"last\":null,\"current\":null", StringComparison.Ordinal));
            Assert.DoesNotContain(node.Up, u => u.Payload.Contains(":{}}}", StringComparison.Ordinal) && !u.Payload.Contains("metadata", StringComparison.Ordinal));
        }
    }

    private static void AssertNotOlder(TwinValue? before, TwinValue? after)
    {
        if (before is not null)
        {
            Assert.True(after!.Version.Cloud >= before.Version.Cloud && after.Version.Edge >= before.Version.Edge);
        }
    }

    private static string Request(Random random, bool withVersions)
    {
        var entries = new StringBuilder();
        foreach (var name in Names.Where(_ => random.Next(3) == 0))
        {
            entries.Append(entries.Length == 0 ? "" : ",").Append($"\"{name}\":").Append(Entry(random, withVersions));
        }

        return $"{{\"event_id\":\"e\",\"twin\":{{{entries}}}}}";
    }

    private static string Entry(Random random, bool withVersions)
    {
        if (random.Next(6) == 0)
        {
            return "null";
        }

        var fields = new List<string>();
        foreach (var side in new[] { "expected", "actual" }.Where(_ => random.Next(2) == 0))
        {
            fields.Add($"\"{side}\":{{\"value\":\"{Values[random.Next(Values.Length)]}\"}}");
            if (withVersions && random.Next(5) != 0)
            {
                fields.Add($"\"{side}_version\":{{\"cloud\":{random.Next(6)},\"edge\":{random.Next(40)}}}");
            }
        }

        if (random.Next(8) == 0)
        {
            fields.Add($"\"optional\":{(random.Next(2) == 0 ? "true" : "false")}");
        }

        if (withVersions || random.Next(3) == 0)
        {
            fields.Add($"\"metadata\":{{\"type\":\"{Types[random.Next(Types.Length)]}\"}}");
        }

        return $"{{{string.Join(',', fields)}}}";
    }
}
