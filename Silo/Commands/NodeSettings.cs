using EdgeOrleans.Settings;

namespace EdgeOrleans.Commands;

/// <summary>The ladder of a program's start, from its arguments and its environment.</summary>
internal sealed record NodeSettings(Purpose Purpose, Role Role, SettingsLadder Ladder, Flags? Flags)
{
    /// <summary>The data folder, before anything is built.</summary>
    public string DataFolder => Ladder.Effective.TryGetValue("data", out var data) ? data.Text! : new DataOptions().Data;

    /// <summary>Reads the arguments and all sources they lead to.</summary>
    public static NodeSettings Read(string[] arguments)
    {
        var commandLine = new CommandLineSettings();
        var rest = commandLine.Take(arguments);

        // Without flags there is nothing to parse, and the parser costs time at every start.
        var flags = rest.Length == 0 ? null : new Flags(rest);
        flags?.Apply(commandLine);
        var purpose = flags?.Purpose ?? Purpose.Run;
        var role = flags?.Role ?? Role.Edge;
        return new NodeSettings(purpose, role, Climb(commandLine, flags?.External, purpose, role), flags);
    }

    private static SettingsLadder Climb(CommandLineSettings commandLine, string? external, Purpose purpose, Role role)
    {
        // These print what is built in, whatever a folder says.
        if (purpose is Purpose.Help or Purpose.Version or Purpose.DefaultConfig or Purpose.MinConfig)
        {
            return new SettingsLadder([]);
        }

        ISettingsSource[] below = [.. RoleDefaults.Of(role), .. external is null ? (ISettingsSource[])[] : [new ExternalFolder(external)]];
        ISettingsSource[] above = [new EnvironmentSettings(Environment.GetEnvironmentVariables()), commandLine, new ConfigCentre()];
        return new SettingsLadder([.. below, new ConfFolder(ConfOf([.. below, .. above])), .. above]);
    }

    // Where the files are is known before they are read: from all rungs but theirs.
    private static string ConfOf(ISettingsSource[] sources)
    {
        var settings = SettingsLadder.Merge(sources.SelectMany(s => s.Read()));
        if (settings.TryGetValue("conf", out var conf))
        {
            return Directory.Exists(conf.Text) ? conf.Text : throw new SettingsException($"the conf folder {conf.Text} ({conf.Place}) does not exist");
        }

        return Path.Combine(settings.TryGetValue("data", out var data) ? data.Text! : new DataOptions().Data, "conf");
    }
}
