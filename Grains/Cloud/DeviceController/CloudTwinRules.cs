using System.Collections.Immutable;
using System.Globalization;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>What a change comes to.</summary>
/// <param name="Record">The record after it; the same one when nothing changed.</param>
/// <param name="Reissues">Whether expected values are to go down, newly or under another version.</param>
internal readonly record struct CloudChange(DeviceRecord Record, bool Reissues);

/// <summary>The versions of the cloud's half of a twin: what is wanted gets a number, and what the node shows decides what became of it.</summary>
/// <remarks>
/// The node takes an expected value when neither part of its version is behind the node's own. The cloud counts its part up; of the
/// node's part it names the newest it has seen. What the node shows with the cloud's number, or a higher one, has arrived.
/// </remarks>
internal static class CloudTwinRules
{
    public const int MaxProperties = 1_000;
    public const int MaxConflicts = 30;

    /// <summary>The longest value of a report, and of what is wanted when a model allows more than the stock rule.</summary>
    public const int MaxValue = 64 * 1_024;

    /// <summary>All values of a twin together.</summary>
    public const int MaxValues = 2 * 1_024 * 1_024;

    private const long GreatestVersion = 1L << 62;

    /// <summary>Wants values, all or none. What is wanted or there already is not wanted again.</summary>
    /// <param name="record">The device.</param>
    /// <param name="values">Values by property.</param>
    /// <param name="types">The type that goes down with a property that the node does not know.</param>
    /// <param name="rules">What the device's model says; null without one.</param>
    /// <param name="now">Milliseconds since 1970 (UTC).</param>
    /// <exception cref="RefusedException">400 a value that its type or the device's model refuses.</exception>
    public static CloudChange Want(
        DeviceRecord record, IEnumerable<KeyValuePair<string, string>> values, IReadOnlyDictionary<string, string> types, ModelRules? rules, long now)
    {
        var twin = record.Twin.ToBuilder();
        foreach (var (name, value) in values.OrderBy(static v => v.Key, StringComparer.Ordinal))
        {
            var property = record.Twin.GetValueOrDefault(name) ?? new CloudProperty { Name = name };
            if (property.Desired?.Value == value && property.Due?.Value == value)
            {
                continue;
            }

            var model = rules?.Properties.GetValueOrDefault(name);
            property = property with { DesiredType = model?.TwinType ?? types.GetValueOrDefault(name, property.DesiredType) };
            ThrowIfNot(record, property, value, model, rules);
            twin[name] = Issue(property, value, now);
        }

        if (twin.Count > MaxProperties && twin.Count > record.Twin.Count)
        {
            throw new RefusedException(400, TooMany);
        }

        var after = twin.ToImmutable();
        return ReferenceEquals(after, record.Twin) ? new CloudChange(record, false) : new CloudChange(record with { Twin = after }, true);
    }

    /// <summary>Wants nothing any more of properties that are not named. What the node has stays there.</summary>
    public static DeviceRecord Withdraw(DeviceRecord record, IReadOnlyCollection<string> kept)
    {
        var twin = record.Twin.ToBuilder();
        foreach (var property in record.Twin.Values.Where(p => p.Desired is not null && !kept.Contains(p.Name)))
        {
            twin[property.Name] = property with { Desired = null };
        }

        var after = twin.ToImmutable();
        return ReferenceEquals(after, record.Twin) ? record : record with { Twin = after };
    }

    /// <summary>The device on another node: what is wanted is wanted there too, and what the former one showed says nothing about the new one.</summary>
    /// <remarks>What was reported stays until the new node reports. The cloud's numbers go on.</remarks>
    public static DeviceRecord Move(DeviceRecord record, string node)
    {
        var moved = record.Twin.ToBuilder();
        foreach (var property in record.Twin.Values)
        {
            moved[property.Name] = property with
            {
                Expected = null,
                Desired = property.Desired is { } desired ? desired with { Version = desired.Version with { Edge = 0 } } : null,
                Actual = property.Actual is { } actual ? actual with { Version = default } : null,
                Type = property.Type == TwinProperty.DeletedType ? "" : property.Type,
            };
        }

        return record with { Node = node, State = "", LastOnline = "", StatusVersion = record.StatusVersion + 1, Twin = moved.ToImmutable(), TakenBy = "", TakenVersion = 0 };
    }

    /// <summary>Takes over what a node shows of a twin, each side by its version.</summary>
    /// <exception cref="RefusedException">400 more than a twin may hold.</exception>
    public static CloudChange Report(DeviceRecord record, IReadOnlyList<ReportedProperty> report, long now)
    {
        var (twin, conflicts, reissues) = (record.Twin.ToBuilder(), record.Conflicts, false);
        foreach (var reported in report)
        {
            ThrowIfTooLarge(reported);
            var before = record.Twin.GetValueOrDefault(reported.Name) ?? new CloudProperty { Name = reported.Name };
            var after = Settle(before, Take(before, reported), now, ref conflicts);
            if (after != before)
            {
                twin[reported.Name] = after;
                reissues |= after.IsPending && (!before.IsPending || before.Desired!.Version != after.Desired!.Version);
            }
        }

        var changed = twin.ToImmutable();
        if (ReferenceEquals(changed, record.Twin))
        {
            return new CloudChange(record, false);
        }

        ThrowIfTooMuch(record, changed);
        return new CloudChange(record with { Twin = changed, Conflicts = conflicts, StatusVersion = record.StatusVersion + 1 }, reissues);
    }

    /// <summary>Takes over what a node says of a device's state.</summary>
    public static DeviceRecord State(DeviceRecord record, ReportedState state) => record.State == state.State && record.LastOnline == state.LastOnline
        ? record
        : record with { State = state.State, LastOnline = state.LastOnline, StatusVersion = record.StatusVersion + 1 };

    /// <summary>Whether what a node shows is newer than what is known of it: neither part of its version is behind, or the value was written later by its own clock.</summary>
    /// <remarks>The second is how a node goes on whose counters began anew; what it says twice is no news.</remarks>
    public static bool IsNews(TwinValue? known, TwinValue shown)
    {
        if (known is null)
        {
            return true;
        }

        var (old, given) = (known.Version, shown.Version);
        return old != given && given.Cloud >= old.Cloud && given.Edge >= old.Edge
            || (known.Value != shown.Value || old != given) && shown.Timestamp > known.Timestamp;
    }

    private static CloudProperty Take(CloudProperty property, ReportedProperty reported)
    {
        var after = property;
        if (reported.Expected is { } expected && IsNews(property.Expected, expected))
        {
            after = after with { Expected = expected, Issued = Math.Max(after.Issued, expected.Version.Cloud) };
        }

        if (reported.Actual is { } actual && IsNews(property.Actual, actual))
        {
            after = after with { Actual = actual };
        }

        // Type and options have no version of their own: they belong to what they came with.
        return !ReferenceEquals(after, property) ? after with { Optional = reported.Optional ?? after.Optional, Type = reported.Type ?? after.Type }
            : property.IsVisible && IsKnown(property.Expected, reported.Expected) && IsKnown(property.Actual, reported.Actual) ? TakeTraits(property, reported)
            : property;
    }

    /// <summary>Takes over what came without a newer value. Nothing says how old it is, so only that counts which a node never takes back.</summary>
    /// <remarks>
    /// A property that may not be deleted stays so, and a type ends a deletion; a property that lives keeps its type. A property of which
    /// there is nothing to see is left until its first value, which brings both.
    /// </remarks>
    private static CloudProperty TakeTraits(CloudProperty property, ReportedProperty reported)
    {
        var takesType = property.Type is "" or TwinProperty.DeletedType;
        return property with
        {
            Optional = property.Optional && reported.Optional != false,
            Type = takesType && reported.Type is { Length: > 0 } type ? type : property.Type,
        };
    }

    private static bool IsKnown(TwinValue? known, TwinValue? shown) =>
        shown is null || known is not null && known.Version == shown.Version && known.Value == shown.Value;

    /// <summary>What the node shows decides about what is wanted.</summary>
    private static CloudProperty Settle(CloudProperty before, CloudProperty after, long now, ref ImmutableArray<TwinConflict> conflicts)
    {
        if (after.Desired is not { } desired || after.Expected is not { } shown || ReferenceEquals(before, after))
        {
            return after;
        }

        if (!after.IsPending)
        {
            // A number that the cloud never gave, as far as it knows: it was set back to an older backup. What the node has is newer.
            if (before.IsPending && shown.Version.Cloud > desired.Version.Cloud)
            {
                Note(after.Name, shown, desired, ref conflicts);
            }

            return after;
        }

        if (shown.Version.Edge <= desired.Version.Edge)
        {
            return after;
        }

        Note(after.Name, shown, desired, ref conflicts);
        return after with { Desired = desired with { Version = desired.Version with { Edge = shown.Version.Edge } } };
    }

    private static CloudProperty Issue(CloudProperty property, string value, long now)
    {
        var seen = property.Expected?.Version ?? default;
        var number = Math.Max(property.Issued, seen.Cloud);
        number = number >= GreatestVersion ? GreatestVersion : number + 1;
        return property with
        {
            Desired = new TwinValue { Value = value, Timestamp = now, Version = new TwinVersion(number, seen.Edge) },
            Issued = number,
        };
    }

    private static void Note(string property, TwinValue kept, TwinValue refused, ref ImmutableArray<TwinConflict> conflicts)
    {
        if (kept.Value == refused.Value)
        {
            return;
        }

        conflicts = conflicts.Add(new TwinConflict { Property = property, Side = "expected", Kept = kept, Refused = refused, Source = "cloud" });
        conflicts = conflicts.Length > MaxConflicts ? conflicts.RemoveRange(0, conflicts.Length - MaxConflicts) : conflicts;
    }

    private static void ThrowIfNot(DeviceRecord record, CloudProperty property, string value, ModelProperty? model, ModelRules? rules)
    {
        var name = property.Name;
        if (!TwinTypes.IsName(name))
        {
            throw new RefusedException(400, TwinTypes.BadName);
        }

        if (rules is not null && model is null && record.Twin.GetValueOrDefault(name) is not { IsVisible: true })
        {
            var known = string.Join(", ", rules.Properties.Keys.Order(StringComparer.Ordinal));
            throw new RefusedException(400, $"{name} is no property of the device; its model {record.Model} has {known}");
        }

        if (WhyNot(property, value, model) is { } reason)
        {
            throw new RefusedException(400, reason);
        }
    }

    private static string? WhyNot(CloudProperty property, string value, ModelProperty? model)
    {
        var name = property.Name;
        if (value.Length == 0)
        {
            return $"the value of {name} is empty; a value that is wanted is not";
        }

        if (model is null)
        {
            return TwinTypes.HasAllowedCharacters(value) ? TwinTypes.WhyNot(property.LiveType, value) is { } why ? $"{name}: {why}" : null : $"{name}: {TwinTypes.BadValue}";
        }

        return model.ReadOnly ? $"{name} is read-only in the device's model; it takes no expected value"
            : value.Length > MaxValue ? $"the value of {name} has {value.Length} characters; at most {MaxValue} are taken"
            : model.WhyNot(name, value);
    }

    private static void ThrowIfTooLarge(ReportedProperty reported)
    {
        if (Math.Max(reported.Expected?.Value?.Length ?? 0, reported.Actual?.Value?.Length ?? 0) is var length and > MaxValue)
        {
            throw new RefusedException(400, $"the value of {reported.Name} has {length} characters; at most {MaxValue} are taken");
        }
    }

    private static void ThrowIfTooMuch(DeviceRecord record, ImmutableSortedDictionary<string, CloudProperty> twin)
    {
        if (twin.Count > MaxProperties && twin.Count > record.Twin.Count)
        {
            throw new RefusedException(400, TooMany);
        }

        if (twin.Values.Sum(static p => LengthOf(p.Desired) + LengthOf(p.Expected) + LengthOf(p.Actual)) > MaxValues)
        {
            throw new RefusedException(400, string.Create(CultureInfo.InvariantCulture, $"the values of a twin have at most {MaxValues} characters together"));
        }
    }

    private static long LengthOf(TwinValue? value) => value?.Value?.Length ?? 0;

    private static string TooMany => string.Create(CultureInfo.InvariantCulture, $"a twin has at most {MaxProperties} properties, deleted ones included");
}
