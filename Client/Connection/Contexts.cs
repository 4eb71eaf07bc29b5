using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeOrleans.Client.Manifests;
using EdgeOrleans.Client.Rendering;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeOrleans.Client.Connection;

/// <summary>The contexts file: named servers, and which of them is meant when nothing else is said.</summary>
/// <remarks>EDGECTL_CONFIG names it; by default it is <c>edgectl/config.yaml</c> below XDG_CONFIG_HOME or <c>~/.config</c>. It is readable by its owner alone and replaced whole.</remarks>
internal sealed class Contexts
{
    private const string Current = "current-context";
    private readonly SortedDictionary<string, Context> _all = new(StringComparer.Ordinal);

    /// <summary>The name that is meant when nothing is said; null for none.</summary>
    public string? CurrentName { get; private set; }

    public IEnumerable<Context> All => _all.Values;

    public static string File => Environment.GetEnvironmentVariable("EDGECTL_CONFIG") is { Length: > 0 } given ? given : Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "edgectl", "config.yaml");

    /// <summary>What the file says; nothing when there is none.</summary>
    /// <exception cref="CommandException">It cannot be read.</exception>
    public static Contexts Load()
    {
        var contexts = new Contexts();
        if (!System.IO.File.Exists(File))
        {
            return contexts;
        }

        try
        {
            var parser = new Parser(new StringReader(System.IO.File.ReadAllText(File)));
            parser.Consume<StreamStart>();
            if (parser.Accept<DocumentStart>(out _))
            {
                contexts.Read(JsonNode.Parse(YamlToJson.Convert(parser).Json)!.AsObject());
            }

            return contexts;
        }
        catch (YamlException e)
        {
            throw Unreadable($"line {e.Start.Line}: {Text.OneLine(e.Message)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw Unreadable(e.Message);
        }
    }

    /// <summary>A context by its name, or the current one.</summary>
    public Context? Find(string? name) => (name ?? CurrentName) is { } wanted ? _all.GetValueOrDefault(wanted) : null;

    public void Set(Context context) => _all[context.Name] = context;

    public bool Remove(string name)
    {
        CurrentName = CurrentName == name ? null : CurrentName;
        return _all.Remove(name);
    }

    public void Use(string name) => CurrentName = name;

    /// <summary>Replaces the file.</summary>
    /// <exception cref="CommandException">It cannot be written.</exception>
    public void Save()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(File))!);
            var aside = $"{File}.{Guid.NewGuid():N}";
            var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var writer = new StreamWriter(aside, how))
            {
                Yaml.Write(writer, Document());
            }

            System.IO.File.Move(aside, File, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCodes.Failed, $"the contexts file {File} cannot be written: {e.Message}");
        }
    }

    private JsonObject Document() => new()
    {
        [Current] = CurrentName ?? "",
        ["contexts"] = new JsonArray([.. _all.Values.Select(static c => new JsonObject { ["name"] = c.Name, ["server"] = c.Server })]),
    };

    private void Read(JsonObject root)
    {
        foreach (var entry in root["contexts"]?.AsArray() ?? [])
        {
            Set(new Context(entry!["name"]!.GetValue<string>(), entry["server"]!.GetValue<string>()));
        }

        CurrentName = root[Current]?.GetValue<string>() is { Length: > 0 } name ? name : null;
    }

    private static CommandException Unreadable(string why) =>
        new(ExitCodes.Usage, $"the contexts file {File} cannot be read: {why}; it has current-context, and contexts with name and server");
}

/// <summary>A server under a name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Server"><c>HOST:PORT</c>.</param>
internal sealed record Context(string Name, string Server);
