using System.Reflection;
using System.Text;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus;

/// <summary><c>docs/mqtt.md</c> lists the statements that tests check; it is made of the tests.</summary>
public sealed class MqttPageTests
{
    private const string Rewrite = "EDGEORLEANS_REWRITE_DOCS";
    private const string Mark = "<!-- made of the tests -->\n";

    [Fact]
    public void The_page_about_MQTT_lists_the_statements_that_are_checked()
    {
        var page = Repository.PathOf("docs", "mqtt.md");
        var before = File.ReadAllText(page);
        var text = before[..(before.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)] + Table();
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
        {
            File.WriteAllText(page, text);
        }

        Assert.True(File.ReadAllText(page) == text, $"docs/mqtt.md is behind the tests; run this test with {Rewrite}=1 to write it anew");
    }

    private static string Table()
    {
        var checkedBy =
            from type in typeof(MqttPageTests).Assembly.GetTypes()
            from method in type.GetMethods()
            from statement in method.GetCustomAttributes<StatementAttribute>()
            from number in statement.Numbers
            group method.Name by (statement.Version, Number: number);
        var table = new StringBuilder();
        foreach (var version in checkedBy.GroupBy(statement => statement.Key.Version).OrderBy(version => version.Key, StringComparer.Ordinal))
        {
            table.Append($"\n## MQTT {version.Key}: {version.Count()} statements\n\n| statement | checked by |\n|---|---|\n");
            foreach (var statement in version.OrderBy(statement => Order(statement.Key.Number)).ToList())
            {
                table.Append($"| MQTT-{statement.Key.Number} | {string.Join("; ", statement.Distinct().Order(StringComparer.Ordinal).Select(name => name.Replace('_', ' ')))} |\n");
            }
        }

        return table.ToString();
    }

    private static string Order(string number) => string.Join('.', number.Split('.', '-').Select(part => part.PadLeft(4, '0')));
}
