using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeOrleans.Devices;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeOrleans.Client.Manifests;

/// <summary>Reads the resources of files, folders and standard input. YAML and JSON, several documents a file.</summary>
internal static class ManifestReader
{
    private const int MaxFile = 64 * 1024 * 1024;
    private const int MaxDocument = 1024 * 1024;

    /// <summary>Reads everything that <c>-f</c> names, models first.</summary>
    /// <exception cref="CommandException">There is no such file or folder, or nothing in it.</exception>
    public static async Task<ManifestSet> ReadAsync(IEnumerable<string> paths, TextReader standardInput, CancellationToken cancellation)
    {
        var manifests = new List<Manifest>();
        var errors = new List<string>();
        foreach (var path in paths)
        {
            foreach (var (file, text) in await TextsAsync(path, standardInput, cancellation))
            {
                var set = Read(file, text);
                manifests.AddRange(set.Manifests);
                errors.AddRange(set.Errors);
            }
        }

        return manifests.Count + errors.Count == 0
            ? throw new CommandException(ExitCodes.Usage, $"nothing to read in {string.Join(", ", paths)}: no document in it")
            : new ManifestSet([.. manifests.OrderBy(manifest => manifest.Rank)], errors);
    }

    /// <summary>Reads one text. A document that is no YAML ends its file: nobody knows where the next one begins.</summary>
    public static ManifestSet Read(string file, string text)
    {
        var manifests = new List<Manifest>();
        var errors = new List<string>();
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            while (parser.Accept<DocumentStart>(out _))
            {
                var (json, place) = YamlToJson.Convert(parser);
                Add(manifests, errors, file, place, json);
            }
        }
        catch (YamlException e)
        {
            errors.Add($"{file}:{e.Start.Line}: {Text.OneLine(e.Message)}");
        }

        return new ManifestSet(manifests, errors);
    }

    private static async Task<List<(string File, string Text)>> TextsAsync(string path, TextReader standardInput, CancellationToken cancellation)
    {
        if (path == "-")
        {
            return [("stdin", await standardInput.ReadToEndAsync(cancellation))];
        }

        try
        {
            var texts = new List<(string, string)>();
            foreach (var file in Files(path))
            {
                texts.Add((file, await TextAsync(file, cancellation)));
            }

            return texts;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCodes.Usage, $"cannot read {path}: {e.Message}");
        }
    }

    private static IEnumerable<string> Files(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path)
            .Where(file => Path.GetExtension(file).ToLowerInvariant() is ".yaml" or ".yml" or ".json")
            .Order(StringComparer.Ordinal)
        : File.Exists(path)
            ? [path]
            : throw new CommandException(ExitCodes.Usage, $"there is no file or folder '{path}'");

    private static async Task<string> TextAsync(string file, CancellationToken cancellation) => new FileInfo(file).Length > MaxFile
        ? throw new IOException($"it is larger than {MaxFile / 1024 / 1024} MiB")
        : await File.ReadAllTextAsync(file, cancellation);

    private static void Add(List<Manifest> manifests, List<string> errors, string file, Place place, string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            errors.Add($"{file}:{place.Line}: a resource is a map with apiVersion, kind, metadata and spec");
            return;
        }

        if (Value(root, "kind").EndsWith("List", StringComparison.Ordinal) && root.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array)
        {
            foreach (var (i, item) in items.EnumerateArray().Index())
            {
                Add(manifests, errors, file, place.At(string.Create(CultureInfo.InvariantCulture, $"items[{i}]")), item.GetRawText());
            }

            return;
        }

        if (Encoding.UTF8.GetByteCount(json) > MaxDocument)
        {
            errors.Add($"{file}:{place.Line}: larger than {MaxDocument / 1024 / 1024} MiB, which is the most a node takes");
            return;
        }

        manifests.Add(Manifest(file, place, json, root));
    }

    private static Manifest Manifest(string file, Place place, string json, JsonElement root)
    {
        var metadata = root.TryGetProperty("metadata", out var value) && value.ValueKind == JsonValueKind.Object ? value : default;
        var ns = Value(metadata, "namespace");
        return new Manifest(file, place, json, Value(root, "kind"), ns.Length == 0 ? DeviceId.DefaultNamespace : ns, Value(metadata, "name"));
    }

    private static string Value(JsonElement map, string name) =>
        map.ValueKind == JsonValueKind.Object && map.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
