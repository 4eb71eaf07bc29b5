using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeOrleans.Client.Rendering;

/// <summary>Prints a result in the format a person or a script asked for.</summary>
internal sealed class Renderer(Terminal terminal, OutputFormat format)
{
    // '<' or 'ü' stay readable: nothing printed here becomes a web page.
    private readonly JsonSerializerOptions _json = new()
    {
        WriteIndented = terminal.Draws,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public bool IsTable => format is OutputFormat.Table or OutputFormat.Wide;

    public bool IsJson => format == OutputFormat.Json;

    /// <summary>Prints a list; an empty one is explained on standard error, so that a pipe gets nothing but results.</summary>
    public void List(Func<bool, Table> table, Func<JsonNode> document, string whenEmpty)
    {
        if (!IsTable)
        {
            Document(document());
            return;
        }

        var rows = table(format == OutputFormat.Wide);
        if (rows.Count == 0)
        {
            terminal.Say(whenEmpty);
            return;
        }

        rows.Write(terminal.Out);
    }

    /// <summary>Prints one thing.</summary>
    public void One(Action<TextWriter> text, Func<JsonNode> document)
    {
        if (IsTable)
        {
            text(terminal.Out);
            return;
        }

        Document(document());
    }

    /// <summary>Prints JSON (indented for a person, on one line for a pipe) or YAML.</summary>
    public void Document(JsonNode document)
    {
        if (IsJson)
        {
            terminal.Out.WriteLine(document.ToJsonString(_json));
            return;
        }

        Yaml.Write(terminal.Out, document);
    }

    /// <summary>Prints one JSON object as one line.</summary>
    public void Line(JsonNode document) => terminal.Out.WriteLine(document.ToJsonString(new JsonSerializerOptions(_json) { WriteIndented = false }));
}
