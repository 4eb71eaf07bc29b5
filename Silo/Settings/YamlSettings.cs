using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeOrleans.Settings;

/// <summary>Reads a YAML document into settings that know their line.</summary>
internal sealed class YamlSettings
{
    // A settings file is read by people; beyond this it is something else.
    private const int MaxFileSize = 1 << 20;
    private const int MaxDepth = 32;

    private readonly string _file;
    private readonly Parser _parser;
    private readonly List<Setting> _settings = [];

    private YamlSettings(string file, TextReader text)
    {
        _file = file;
        _parser = new Parser(text);
    }

    public static List<Setting> ReadFile(string file)
    {
        if (new FileInfo(file).Length > MaxFileSize)
        {
            throw new SettingsException($"{file} is larger than 1 MiB, which no settings file is; move it out of the conf folder");
        }

        using var text = new StreamReader(file);
        return Read(file, text);
    }

    public static List<Setting> Read(string file, TextReader text)
    {
        var reader = new YamlSettings(file, text);
        try
        {
            reader.ReadStream();
        }
        catch (YamlException e)
        {
            throw new SettingsException($"{file}:{e.Start.Line} is not YAML: {e.Message.Split(": ").Last()}");
        }

        return reader._settings;
    }

    private void ReadStream()
    {
        _parser.Consume<StreamStart>();
        while (!_parser.TryConsume<StreamEnd>(out _))
        {
            _parser.Consume<DocumentStart>();
            if (_parser.Accept<Scalar>(out var scalar) && scalar.Value.Length == 0)
            {
                _parser.MoveNext();
            }
            else if (_parser.Accept<MappingStart>(out _))
            {
                ReadMap("", 0);
            }
            else
            {
                throw Wrong(_parser.Current!.Start, "a settings file holds keys and values, such as \"node:\" and below it \"  name: edge-1\"");
            }

            _parser.Consume<DocumentEnd>();
        }
    }

    private void ReadMap(string path, int depth)
    {
        var start = _parser.Consume<MappingStart>();
        Bound(start, depth);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (!_parser.TryConsume<Scalar>(out var name))
            {
                throw Wrong(_parser.Current!.Start, "a key is a plain word");
            }

            if (!seen.Add(name.Value))
            {
                throw Wrong(name.Start, $"{name.Value} is set twice in the same place");
            }

            ReadValue(path.Length == 0 ? name.Value : $"{path}:{name.Value}", name.Start, depth + 1);
        }
    }

    private void ReadValue(string path, Mark at, int depth)
    {
        if (_parser.TryConsume<Scalar>(out var scalar))
        {
            Add(path, IsNull(scalar) ? null : scalar.Value, at);
        }
        else if (_parser.Accept<MappingStart>(out _))
        {
            ReadMap(path, depth);
        }
        else if (_parser.Accept<SequenceStart>(out _))
        {
            ReadList(path, at, depth);
        }
        else
        {
            throw Wrong(at, "anchors and aliases (& and *) are not read in settings; write the value out");
        }
    }

    private void ReadList(string path, Mark at, int depth)
    {
        Bound(_parser.Consume<SequenceStart>(), depth);
        var count = 0;
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            ReadValue($"{path}:{count++}", _parser.Current!.Start, depth + 1);
        }

        if (count == 0)
        {
            Add(path, "", at);
        }
    }

    private void Add(string path, string? text, Mark at) =>
        _settings.Add(new Setting(path, text, Rung.File, $"{_file}:{at.Line}"));

    private void Bound(NodeEvent start, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Wrong(start.Start, $"nested deeper than {MaxDepth}");
        }
    }

    private static bool IsNull(Scalar scalar) =>
        scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null" or "Null" or "NULL";

    private SettingsException Wrong(Mark at, string reason) => new($"{_file}:{at.Line}: {reason}");
}
