using EdgeOrleans.Devices;
using EdgeOrleans.Joining;
using EdgeOrleans.Modules;

namespace EdgeOrleans.Client.Rendering;

/// <summary>What a node says, as plain columns.</summary>
internal static class Tables
{
    public static Table Devices(IEnumerable<DeviceSummary> devices, bool wide)
    {
        var table = wide ? new Table("NAME", "STATE", "LAST ONLINE", "MODEL", "DESCRIPTION") : new Table("NAME", "STATE", "LAST ONLINE", "MODEL");
        foreach (var device in devices)
        {
            string[] cells = [device.Id, device.State, device.LastOnline, device.Model];
            table.Add(wide ? [.. cells, device.Description] : cells);
        }

        return table;
    }

    public static Table Twins(IEnumerable<DeviceView> devices, bool wide, bool all, TimeProvider time)
    {
        var table = Twin(wide, "DEVICE", "PROPERTY");
        foreach (var device in devices)
        {
            foreach (var (name, property) in device.Twin.Where(p => all || !p.Value.IsDeleted))
            {
                table.Add([device.Id, name, .. Cells(device, name, property, wide, time)]);
            }
        }

        return table;
    }

    public static Table Twin(DeviceView device, bool wide, bool all, TimeProvider time)
    {
        var table = Twin(wide, "PROPERTY");
        foreach (var (name, property) in device.Twin.Where(p => all || !p.Value.IsDeleted))
        {
            table.Add([name, .. Cells(device, name, property, wide, time)]);
        }

        return table;
    }

    public static Table Models(IEnumerable<ModelSummary> models)
    {
        var table = new Table("NAME", "PROPERTIES");
        foreach (var model in models)
        {
            table.Add(model.Id, string.Join(",", model.Properties));
        }

        return table;
    }

    public static Table Modules(IEnumerable<ModuleStatus> modules, bool wide)
    {
        var table = wide ? new Table("NAME", "GROUP", "ENABLED", "STATE", "DETAIL") : new Table("NAME", "GROUP", "ENABLED", "STATE");
        foreach (var module in modules)
        {
            string[] cells = [module.Name, module.Group, module.Enabled ? "true" : "false", Documents.State(module.State)];
            table.Add(wide ? [.. cells, module.Detail] : cells);
        }

        return table;
    }

    public static Table Refusals(IEnumerable<KeyValuePair<string, long>> refusals)
    {
        var table = new Table("REASON", "COUNT");
        foreach (var (reason, count) in refusals)
        {
            table.Add(reason, count.ToString());
        }

        return table;
    }

    public static Table JoinTokens(IEnumerable<JoinTokenView> tokens)
    {
        var table = new Table("ID", "NODE", "GROUP", "STATE", "USED", "EXPIRES");
        foreach (var token in tokens)
        {
            table.Add(token.Id, token.Node, token.Group, token.State, $"{token.Used}/{token.Uses}", Documents.Time(token.Expires));
        }

        return table;
    }

    public static Table Certificates(IEnumerable<NodeCertificateView> certificates)
    {
        var table = new Table("SERIAL", "ISSUED", "EXPIRES", "TOKEN", "REVOKED");
        foreach (var certificate in certificates)
        {
            table.Add(certificate.Serial, Documents.Time(certificate.Issued), Documents.Time(certificate.Expires), certificate.Token, certificate.Revoked ? "yes" : "no");
        }

        return table;
    }

    /// <summary>The values that lost, and those that stayed.</summary>
    public static Table Conflicts(DeviceView device)
    {
        var table = new Table("PROPERTY", "SIDE", "KEPT", "REFUSED", "BY", "AT");
        foreach (var conflict in device.Conflicts)
        {
            table.Add(
                conflict.Property,
                conflict.Side,
                Versioned(conflict.Kept),
                Versioned(conflict.Refused),
                conflict.Source,
                Documents.Time(DateTimeOffset.FromUnixTimeMilliseconds(conflict.Refused.Timestamp)));
        }

        return table;
    }

    private static string Versioned(TwinValue value) => $"{value.Value ?? "(deleted)"} ({value.Version.Cloud}/{value.Version.Edge})";

    /// <summary>Whether the device has what was asked of it.</summary>
    public static bool InSync(TwinProperty property) =>
        string.IsNullOrEmpty(property.Expected?.Value) || property.Expected.Value == property.Actual?.Value;

    /// <summary>When a property was last written, as an age: <c>5s</c>, <c>3m</c>, <c>2h</c>, <c>4d</c>.</summary>
    public static string Age(TwinProperty property, TimeProvider time)
    {
        var last = Math.Max(property.Expected?.Timestamp ?? 0, property.Actual?.Timestamp ?? 0);
        return last == 0 ? "" : Span(time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(last));
    }

    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 0 } => "0s",
        { TotalMinutes: < 2 } => $"{(int)span.TotalSeconds}s",
        { TotalHours: < 2 } => $"{(int)span.TotalMinutes}m",
        { TotalDays: < 2 } => $"{(int)span.TotalHours}h",
        _ => $"{(int)span.TotalDays}d",
    };

    private static Table Twin(bool wide, params string[] keys) => wide
        ? new Table([.. keys, "EXPECTED", "ACTUAL", "IN SYNC", "TYPE", "AGE", "OPTIONAL", "EXPECTED VERSION", "ACTUAL VERSION"])
        : new Table([.. keys, "EXPECTED", "ACTUAL", "IN SYNC", "TYPE", "AGE"]);

    private static string?[] Cells(DeviceView device, string name, TwinProperty property, bool wide, TimeProvider time)
    {
        string?[] cells =
        [
            property.Expected?.Value, property.Actual?.Value, device.Pending.Contains(name) ? "pending" : InSync(property) ? "yes" : "no", property.Type, Age(property, time),
        ];
        return wide ? [.. cells, property.Optional ? "true" : "false", Version(property.Expected), Version(property.Actual)] : cells;
    }

    private static string Version(TwinValue? value) => value is null ? "" : $"{value.Version.Cloud}/{value.Version.Edge}";
}
