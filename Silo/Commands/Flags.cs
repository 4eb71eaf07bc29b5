using System.CommandLine;
using EdgeOrleans.Settings;

namespace EdgeOrleans.Commands;

/// <summary>What is to be done with this start of the program.</summary>
internal enum Purpose
{
    Run,
    PrintConfig,
    DefaultConfig,
    MinConfig,
    Version,
    Help,
}

/// <summary>The flags. Each is a short word for a setting, except those that only print.</summary>
internal sealed class Flags
{
    private const string Examples = """
        Any setting can be given as --KEY=VALUE: --modules.eventBus.mqttMode=0. --defaultconfig prints them all.

        Examples:
          edgeorleans                                     a node with its data in ./data
          edgeorleans --node edge-1 --data /var/lib/edge  a node with a name, and its data elsewhere
          edgeorleans cloud --data /var/lib/cloud         the cloud: nodes join it with a token
          edgeorleans --print-config                      what counts, and where each value comes from
          mkdir -p data/conf && edgeorleans --defaultconfig > data/conf/node.yaml
                                                          a file to begin with; all that is in it can be changed

        Then: edgectl get devices
        """;

    private readonly Option<string> _node = Text("--node", "NAME", "the node's name [default: the host name in lower case]");
    private readonly Option<string> _data = Text("--data", "DIR", "the folder of the database [default: ./data]");
    private readonly Option<string> _conf = Text("--conf", "DIR", "the folder of the settings' files, *.yaml and *.yml [default: conf below the data folder]");
    private readonly Option<string> _cloud = Text("--cloud", "ADDRESS", "the cloud, host:port or wss://host:port [default: none]");
    private readonly Option<string> _join = Text("--join", "TOKEN", "the token to join the cloud with; @FILE reads it from a file [default: none]");
    private readonly Option<string> _external = Text("--external", "DIR", "a folder with one file for each key, as mounted secrets are [default: none]");
    private readonly Option<bool> _printConfig = new("--print-config") { Description = "print the settings that count, each with its origin, and exit" };
    private readonly Option<bool> _defaultConfig = new("--defaultconfig") { Description = "print all settings with their defaults as YAML, and exit" };
    private readonly Option<bool> _minConfig = new("--minconfig") { Description = "print the settings most nodes change as YAML, and exit" };
    private readonly Option<bool> _version = new("--version") { Description = "print the version, and exit" };
    private readonly Argument<string> _role = new("role") { Description = "edge or cloud [default: edge]", Arity = ArgumentArity.ZeroOrOne };
    private readonly RootCommand _root;
    private readonly ParseResult _parsed;

    public Flags(string[] arguments)
    {
        _root = new RootCommand("EdgeOrleans: an edge node with durable device twins over MQTT, or the cloud of such nodes.")
        {
            _role, _node, _data, _conf, _cloud, _join, _external, _printConfig, _defaultConfig, _minConfig, _version,
        };
        _root.Options.Remove(_root.Options.OfType<VersionOption>().Single());
        // The library would read @FILE as more arguments; here it is a token's file.
        _parsed = _root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        ThrowIfUnknown();
    }

    /// <summary>Whether arguments lead to something that is printed: a guess before they are read.</summary>
    public static bool OnlyPrints(string[] arguments) =>
        arguments.Any(a => a is "--help" or "-h" or "-?" or "--version" or "--print-config" or "--defaultconfig" or "--minconfig");

    public Role Role => _parsed.GetValue(_role) == "cloud" ? Role.Cloud : Role.Edge;

    public string? External => _parsed.GetValue(_external);

    public Purpose Purpose =>
        _parsed.Action is System.CommandLine.Help.HelpAction ? Purpose.Help
        : _parsed.GetValue(_version) ? Purpose.Version
        : _parsed.GetValue(_printConfig) ? Purpose.PrintConfig
        : _parsed.GetValue(_defaultConfig) ? Purpose.DefaultConfig
        : _parsed.GetValue(_minConfig) ? Purpose.MinConfig
        : Purpose.Run;

    /// <summary>Puts what the flags stand for among the settings of the command line.</summary>
    public void Apply(CommandLineSettings settings)
    {
        Apply(settings, _node, "node:name");
        Apply(settings, _data, "data");
        Apply(settings, _conf, "conf");
        Apply(settings, _cloud, "modules:edgeHub:websocket:server");
        if (_parsed.GetValue(_join) is { } token)
        {
            settings.Set("modules:edgeHub:token", token.StartsWith('@') ? ReadToken(token[1..]) : token, _join.Name);
        }
    }

    /// <summary>All flags with their defaults, and examples.</summary>
    public string Help()
    {
        using var text = new StringWriter();
        _parsed.Invoke(new InvocationConfiguration { Output = text });
        return text.ToString().TrimEnd() + $"{Environment.NewLine}{Environment.NewLine}{Examples}{Environment.NewLine}";
    }

    private void Apply(CommandLineSettings settings, Option<string> flag, string key)
    {
        if (_parsed.GetValue(flag) is { } value)
        {
            settings.Set(key, value, flag.Name);
        }
    }

    private static string ReadToken(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"--join @{file} cannot be read: {e.Message}");
        }
    }

    // The library takes an unknown flag for the role when no role is given.
    private void ThrowIfUnknown()
    {
        var role = _parsed.GetValue(_role);
        var unknown = _parsed.UnmatchedTokens.Prepend(role).FirstOrDefault(t => t?.StartsWith('-') == true);
        if (unknown is not null)
        {
            var name = unknown.Split('=')[0];
            throw new SettingsException(name.AsSpan().IndexOfAny(':', '.') >= 0
                ? $"the setting {name} has no value; write {name}=VALUE"
                : $"unknown flag {name}; did you mean {EditDistance.Nearest(name, _root.Options.Select(o => o.Name))}? --help shows all");
        }

        if (_parsed.Errors.Count > 0)
        {
            throw new SettingsException($"{_parsed.Errors[0].Message.TrimEnd('.')}; --help shows all flags");
        }

        if (role is not (null or "edge" or "cloud"))
        {
            throw new SettingsException($"unknown role {role}; the roles are edge and cloud");
        }
    }

    private static Option<string> Text(string name, string value, string description) => new(name) { HelpName = value, Description = description };
}
