using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>A device into JSON: its status for people, and its entry of a membership for its node.</summary>
internal static class DeviceWriter
{
    public const string Kind = "Device";
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>KubeEdge's status, and what we know besides: the version of the status, and what the node does not have yet.</summary>
    public static void WriteStatus(Utf8JsonWriter json, DeviceRecord record)
    {
        json.WriteStartArray("twins"u8);
        foreach (var property in record.Twin.Values.Where(static p => p.IsVisible && p.Type != TwinProperty.DeletedType))
        {
            json.WriteStartObject();
            json.WriteString("propertyName"u8, property.Name);
            WriteValue(json, "observedDesired"u8, property.Due, property);
            WriteValue(json, "reported"u8, property.Actual, property);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteText(json, "state"u8, record.State);
        WriteText(json, "lastOnlineTime"u8, record.LastOnline);
        json.WriteStartArray("pending"u8);
        foreach (var property in record.Pending)
        {
            json.WriteStringValue(property.Name);
        }

        json.WriteEndArray();
        json.WriteNumber("version"u8, record.StatusVersion);
    }

    /// <summary>The device's entry of a membership.</summary>
    public static MemberPush Member(string id, DeviceRecord record, MemberForm form)
    {
        var pending = false;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, id);
            json.WriteString("name"u8, id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..]);
            WriteText(json, "description"u8, record.Description);
            json.WriteStartObject("twin"u8);
            foreach (var property in record.Twin.Values)
            {
                pending |= WriteEntry(json, property, form);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return new MemberPush(buffer.ToArray(), pending);
    }

    private static bool WriteEntry(Utf8JsonWriter json, CloudProperty property, MemberForm form)
    {
        var isWhole = form is MemberForm.Whole or MemberForm.WholeAndProbe;
        var isPending = property.IsPending;
        var isGone = property.Type == TwinProperty.DeletedType && !isPending;
        var due = isPending || (isWhole && !isGone && property.Expected is { Value.Length: > 0 }) ? property.Due : null;

        // A value of 0/0 is refused by whoever has a newer one. It must be valid there, so it is the one that was there last.
        var probed = form == MemberForm.WholeAndProbe && !isGone && property.Actual is { Value: not null, Version.Edge: > 0 } actual ? actual : null;
        if (due is null && probed is null)
        {
            return false;
        }

        json.WriteStartObject(property.Name);
        if (due is not null)
        {
            WriteSide(json, "expected"u8, due.Value!);
            WriteVersion(json, "expected_version"u8, form == MemberForm.ProbeExpected ? default : due.Version);
        }

        if (probed is not null)
        {
            WriteSide(json, "actual"u8, probed.Value!);
            WriteVersion(json, "actual_version"u8, default);
        }

        json.WriteBoolean("optional"u8, property.Optional);
        json.WriteStartObject("metadata"u8);
        json.WriteString("type"u8, property.LiveType);
        json.WriteEndObject();
        json.WriteEndObject();
        return isPending;
    }

    private static void WriteSide(Utf8JsonWriter json, ReadOnlySpan<byte> name, string value)
    {
        json.WriteStartObject(name);
        json.WriteString("value"u8, value);
        json.WriteEndObject();
    }

    private static void WriteVersion(Utf8JsonWriter json, ReadOnlySpan<byte> name, TwinVersion version)
    {
        json.WriteStartObject(name);
        json.WriteNumber("cloud"u8, version.Cloud);
        json.WriteNumber("edge"u8, version.Edge);
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> name, TwinValue? value, CloudProperty property)
    {
        if (value?.Value is null)
        {
            return;
        }

        json.WriteStartObject(name);
        json.WriteString("value"u8, value.Value);
        json.WriteStartObject("metadata"u8);
        json.WriteString("timestamp"u8, value.Timestamp.ToString(CultureInfo.InvariantCulture));
        json.WriteString("type"u8, property.LiveType);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }
}
