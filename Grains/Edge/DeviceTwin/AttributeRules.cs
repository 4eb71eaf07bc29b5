using System.Collections.Immutable;
using System.Text.Json;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What the cloud does to a device's attributes (reference 3.7).</summary>
internal static class AttributeRules
{
    /// <summary>A request of the cloud about a device's attributes.</summary>
    public static TwinChange Update(TwinRecord record, ReadOnlySpan<byte> payload, TwinTerms terms)
    {
        try
        {
            var request = TwinReader.ReadDevice(payload);
            return record.Exists
                ? Apply(record, request.Attributes ?? [], request.EventId, isWhole: false, terms)
                : TwinChange.Silent(record, 404, "attributes.unknown-device") with { Reason = $"there is no device {terms.Device} on this node" };
        }
        catch (JsonException e)
        {
            return TwinChange.Silent(record, 400, "attributes.malformed") with { Reason = $"the attributes cannot be read: {e.Message}" };
        }
    }

    /// <summary>Applies attributes.</summary>
    /// <param name="record">The device.</param>
    /// <param name="entries">What the cloud names.</param>
    /// <param name="eventId">The id of the notification.</param>
    /// <param name="isWhole">Whether attributes that are not named are to go.</param>
    /// <param name="terms">Time and identity.</param>
    public static TwinChange Apply(TwinRecord record, IReadOnlyList<AttributeEntry> entries, string eventId, bool isWhole, TwinTerms terms)
    {
        var after = record.Attributes.ToBuilder();
        var changed = new SortedDictionary<string, DeviceAttribute?>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            Apply(record.Attributes.GetValueOrDefault(entry.Name), entry, after, changed);
        }

        if (isWhole)
        {
            var named = entries.Select(e => e.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var (name, attribute) in record.Attributes)
            {
                if (attribute.Optional && !named.Contains(name))
                {
                    after.Remove(name);
                    changed[name] = null;
                }
            }
        }

        if (changed.Count == 0)
        {
            return new TwinChange(record);
        }

        if (after.Count > terms.Options.MaxProperties)
        {
            return TwinChange.Silent(record, 400, "attributes.too-many") with { Reason = $"a device has at most {terms.Options.MaxProperties} attributes" };
        }

        return new TwinChange(record with { Attributes = after.ToImmutable() })
        {
            Publications = [new Publication($"device/{terms.Device}/{TwinTopics.Attributes}", Notification(changed, eventId, terms))],
        };
    }

    private static void Apply(
        DeviceAttribute? current,
        AttributeEntry entry,
        ImmutableSortedDictionary<string, DeviceAttribute>.Builder after,
        SortedDictionary<string, DeviceAttribute?> changed)
    {
        if (entry.IsNull)
        {
            if (current is { Optional: true })
            {
                after.Remove(entry.Name);
                changed[entry.Name] = null;
            }

            return;
        }

        var wanted = new DeviceAttribute
        {
            Value = entry.Value,
            Optional = (current?.Optional ?? true) && (entry.Optional ?? true),
            Type = entry.Type ?? current?.Type ?? TwinTypes.Text,
        };
        if (wanted != current)
        {
            after[entry.Name] = wanted;
            changed[entry.Name] = wanted;
        }
    }

    private static ReadOnlyMemory<byte> Notification(SortedDictionary<string, DeviceAttribute?> changed, string eventId, TwinTerms terms)
    {
        var writer = terms.Writer;
        writer.Begin(eventId, terms.Now);
        writer.Json.WriteStartObject("attributes"u8);
        foreach (var (name, attribute) in changed)
        {
            if (attribute is null)
            {
                writer.WriteNull(name);
            }
            else
            {
                MembershipWriter.Write(writer, name, attribute.Value, attribute.Optional, attribute.Type);
            }
        }

        writer.EndObject();
        return writer.End();
    }
}
