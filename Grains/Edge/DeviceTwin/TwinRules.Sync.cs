using System.Collections.Immutable;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

internal static partial class TwinRules
{
    /// <summary>Applies what the cloud wants, each value by the version rule; who is behind loses, and the cloud is told what stays.</summary>
    public static TwinChange CloudUpdate(TwinRecord record, ReadOnlySpan<byte> payload, TwinTerms terms)
    {
        if (!TryRead(record, payload, terms, "unmarshal update request body failed, Please check the request", out var request, out var refused))
        {
            return refused;
        }

        return record.Exists
            ? Sync(record, request.Entries!, request.EventId, terms)
            : TwinChange.Refused(record, terms, TwinTopics.UpdateResult, request.EventId, 404, NoDevice, "twin.unknown-device");
    }

    /// <summary>A client's <c>cloud_updated</c> that may not speak for the cloud: the twin goes up as it is, and what is outstanding is said again.</summary>
    public static TwinChange Repeat(TwinRecord record, ReadOnlySpan<byte> payload, TwinTerms terms)
    {
        if (!record.Exists)
        {
            var eventId = TwinReader.SalvageEventId(payload);
            return TwinChange.Refused(record, terms, TwinTopics.UpdateResult, eventId, 404, NoDevice, "twin.unknown-device");
        }

        var delta = terms.ResultOnly ? default : Delta(record, terms);
        return new TwinChange(record)
        {
            Publications = delta.IsEmpty ? [] : [new Publication($"device/{terms.Device}/{TwinTopics.Delta}", delta)],
            Reports = Whole(record, terms),
        };
    }

    /// <summary>All of a twin, tombstones included, for the cloud.</summary>
    public static ImmutableArray<Report> Whole(TwinRecord record, TwinTerms terms)
    {
        var reports = ImmutableArray.CreateBuilder<Report>(record.Twin.Count);
        foreach (var (name, property) in record.Twin)
        {
            var parts = property.IsDeleted ? Buried(property) : property.Visible() | property.Versions();
            reports.Add(ReportOf(name, property, parts, terms));
        }

        return reports.DrainToImmutable();
    }

    /// <summary>The version rule over valid entries. An entry without metadata, null or of a wrong type is passed over.</summary>
    public static TwinChange Sync(TwinRecord record, IReadOnlyList<TwinEntry> entries, string eventId, TwinTerms terms)
    {
        var outcomes = new PropertyOutcome[entries.Count];
        var count = 0;
        var twin = record.Twin.ToBuilder();
        var conflicts = record.Conflicts;
        foreach (var entry in entries)
        {
            var outcome = Sync(record.Twin.GetValueOrDefault(entry.Name), entry, terms, ref conflicts);
            if (outcome.IsNothing || (outcome.Before is null && twin.Count >= terms.Options.MaxProperties))
            {
                continue;
            }

            outcomes[count++] = outcome;
            twin[entry.Name] = outcome.After;
        }

        var after = twin.ToImmutable();
        var same = ReferenceEquals(after, record.Twin) && conflicts == record.Conflicts;
        if (!terms.IsStrict && !ContainsTold(outcomes.AsSpan(0, count)))
        {
            // Nobody on the bus hears of what changed nothing: a cloud asks often, and repeats itself to be sure.
            return new TwinChange(same ? record : record with { Twin = after, Conflicts = conflicts }) { Reports = Reports(outcomes.AsSpan(0, count), terms) };
        }

        return Tell(same ? record : record with { Twin = after, Conflicts = conflicts }, outcomes.AsSpan(0, count), eventId, terms, withResult: false);
    }

    private static bool ContainsTold(ReadOnlySpan<PropertyOutcome> outcomes)
    {
        foreach (ref readonly var outcome in outcomes)
        {
            if (outcome.IsTold)
            {
                return true;
            }
        }

        return false;
    }

    private static PropertyOutcome Sync(TwinProperty? current, TwinEntry entry, TwinTerms terms, ref ImmutableArray<TwinConflict> conflicts)
    {
        if (entry.IsNull || entry.Type is null)
        {
            return default;
        }

        if (entry.Type == TwinProperty.DeletedType)
        {
            return SyncDelete(current, entry, terms, ref conflicts);
        }

        var model = terms.ModelOf(entry.Name);
        var type = current is null or { IsDeleted: true } ? entry.Type : current.Type;
        if ((WhyNot(model, type, entry.Name, entry.Expected.Value) ?? WhyNot(model, type, entry.Name, entry.Actual.Value)) is not null)
        {
            return current is null || terms.IsStrict ? default : Mistyped(current, entry, terms, ref conflicts);
        }

        return current is null ? SyncNew(entry, terms) : SyncKnown(current, entry, terms, ref conflicts);
    }

    // What the property cannot hold loses like what is too old: the cloud hears what stays.
    private static PropertyOutcome Mistyped(TwinProperty current, TwinEntry entry, TwinTerms terms, ref ImmutableArray<TwinConflict> conflicts) =>
        Lost(current, current, entry, entry.Expected.IsGiven ? TwinParts.Expected : TwinParts.Actual, false, terms, ref conflicts);

    private static PropertyOutcome SyncNew(TwinEntry entry, TwinTerms terms)
    {
        var now = terms.Now;
        if ((entry.Expected.IsGiven && !Wins(null, entry.ExpectedVersion)) || (entry.Actual.IsGiven && !Wins(null, entry.ActualVersion)))
        {
            return default;
        }

        var made = new TwinProperty
        {
            Expected = First(entry.Expected, entry.ExpectedVersion ?? default, now),
            Actual = First(entry.Actual, entry.ActualVersion ?? default, now),
            Optional = entry.Optional ?? true,
            Type = entry.Type!,
        };
        return new PropertyOutcome(entry.Name, null, made) { IsTold = true, Up = Confirmed(entry.Expected.IsGiven, terms) };
    }

    private static PropertyOutcome SyncKnown(TwinProperty current, TwinEntry entry, TwinTerms terms, ref ImmutableArray<TwinConflict> conflicts)
    {
        var after = current;
        var (told, taken) = (false, false);
        if (entry.Expected.IsGiven && !IsThere(current.Expected, entry.Expected, entry.ExpectedVersion, terms))
        {
            if (!Wins(current.Expected, entry.ExpectedVersion))
            {
                return Lost(current, current, entry, TwinParts.Expected, false, terms, ref conflicts);
            }

            after = after with { Expected = Taken(entry.Expected, entry.ExpectedVersion!.Value, terms.Now) };
            (told, taken) = (true, true);
        }

        if (entry.Actual.IsGiven && !IsThere(current.Actual, entry.Actual, entry.ActualVersion, terms))
        {
            if (!Wins(current.Actual, entry.ActualVersion) || IsOwn(current.Actual, entry.ActualVersion, terms))
            {
                // A tombstone stays one when only half of what would revive it is accepted.
                var lost = Lost(current, current.IsDeleted ? current : after, entry, TwinParts.Actual, told && !current.IsDeleted, terms, ref conflicts);
                return lost.IsNothing ? lost : lost with { Up = lost.Up | Confirmed(taken && !current.IsDeleted, terms) };
            }

            after = after with { Actual = Taken(entry.Actual, entry.ActualVersion!.Value, terms.Now) };
            told = true;
        }

        if (entry.Optional == false && current.Optional)
        {
            after = after with { Optional = false };
            told = true;
        }

        if (entry.Type != current.Type)
        {
            // A property that lives keeps its type; that the cloud has another is news in edgecore alone.
            after = current.IsDeleted ? after with { Type = entry.Type! } : after;
            told |= terms.IsStrict || current.IsDeleted;
        }

        return told ? new PropertyOutcome(entry.Name, current, after) { IsTold = true, Up = Confirmed(taken, terms) } : default;
    }

    /// <summary>A cloud cannot see that its value was taken: it is told. edgecore says nothing.</summary>
    private static TwinParts Confirmed(bool isTaken, TwinTerms terms) => isTaken && !terms.IsStrict
        ? TwinParts.Expected | TwinParts.ExpectedVersion | TwinParts.Optional | TwinParts.Type
        : TwinParts.None;

    /// <summary>The same value in the same version changes nothing, however often it is said.</summary>
    private static bool IsThere(TwinValue? current, GivenValue given, TwinVersion? version, TwinTerms terms) =>
        !terms.IsStrict && current is not null && current.Value == given.Value && version == current.Version;

    /// <summary>What the device itself has reported, a cloud's idea of it does not replace, unless it has seen a later one.</summary>
    private static bool IsOwn(TwinValue? current, TwinVersion? wanted, TwinTerms terms) =>
        !terms.IsStrict && current is { Version.Edge: > 0 } && wanted is { } version && version.Edge <= current.Version.Edge;

    private static TwinValue Taken(GivenValue given, TwinVersion version, long now) => new() { Value = given.Value, Timestamp = now, Version = version };

    /// <summary>Whether a value of the cloud may replace the one that is there.</summary>
    private static bool Wins(TwinValue? current, TwinVersion? wanted) => wanted is { } version && !IsOlder(version, current);

    private static bool IsOlder(TwinVersion version, TwinValue? current)
    {
        var stored = current?.Version ?? default;
        return version.Cloud < stored.Cloud || version.Edge < stored.Edge;
    }

    private static PropertyOutcome Lost(
        TwinProperty current, TwinProperty after, TwinEntry entry, TwinParts side, bool told, TwinTerms terms, ref ImmutableArray<TwinConflict> conflicts)
    {
        var isExpected = side == TwinParts.Expected;
        var kept = isExpected ? current.Expected : current.Actual;
        var refused = isExpected ? entry.Expected : entry.Actual;
        var version = isExpected ? entry.ExpectedVersion : entry.ActualVersion;
        var up = TwinParts.None;
        if (kept is not null)
        {
            Note(entry.Name, side, kept, refused.Value, version, terms, ref conflicts);
            up = (kept.Value is null && !current.IsDeleted ? TwinParts.None : side) | VersionsOf(side) | TwinParts.Optional | TwinParts.Type;
        }

        return up == TwinParts.None && !told ? default : new PropertyOutcome(entry.Name, current, after) { IsTold = told, Up = up };
    }

    /// <summary>The same value is no conflict: old mappers say what they have just reported, and a cloud asks with its value for what is there.</summary>
    private static void Note(
        string property, TwinParts side, TwinValue kept, string? refused, TwinVersion? version, TwinTerms terms, ref ImmutableArray<TwinConflict> conflicts)
    {
        if ((version is null || !terms.IsStrict) && refused == kept.Value)
        {
            return;
        }

        var conflict = new TwinConflict
        {
            Property = property,
            Side = side == TwinParts.Expected ? "expected" : "actual",
            Kept = kept,
            Refused = new TwinValue { Value = refused, Timestamp = terms.Now, Version = version ?? default },
            Source = terms.Source,
        };
        if (!terms.IsStrict && conflicts.Any(c => c with { Refused = conflict.Refused } == conflict && c.Refused.Value == refused && c.Refused.Version == conflict.Refused.Version))
        {
            return;
        }

        conflicts = conflicts.Add(conflict);
        conflicts = conflicts.Length > terms.Options.MaxConflicts ? conflicts.RemoveRange(0, conflicts.Length - terms.Options.MaxConflicts) : conflicts;
    }

    private static PropertyOutcome SyncDelete(TwinProperty? current, TwinEntry entry, TwinTerms terms, ref ImmutableArray<TwinConflict> conflicts)
    {
        if (current is null)
        {
            var tombstone = new TwinProperty
            {
                Expected = Tombstone(null, entry.ExpectedVersion, terms.Now),
                Actual = Tombstone(null, entry.ActualVersion, terms.Now),
                Optional = entry.Optional ?? true,
                Type = TwinProperty.DeletedType,
            };
            return new PropertyOutcome(entry.Name, null, tombstone);
        }

        if (!current.Optional)
        {
            return default;
        }

        if (IsStale(current.Expected, entry.ExpectedVersion) || IsStale(current.Actual, entry.ActualVersion))
        {
            var side = IsStale(current.Expected, entry.ExpectedVersion) ? TwinParts.Expected : TwinParts.Actual;
            var (kept, version) = side == TwinParts.Expected ? (current.Expected!, entry.ExpectedVersion) : (current.Actual!, entry.ActualVersion);
            Note(entry.Name, side, kept, null, version, terms, ref conflicts);
            var up = current.IsDeleted ? Buried(current) : current.Visible() | current.Versions();
            return new PropertyOutcome(entry.Name, current, current) { Up = up };
        }

        var after = current with
        {
            Expected = Tombstone(current.Expected, entry.ExpectedVersion, terms.Now),
            Actual = Tombstone(current.Actual, entry.ActualVersion, terms.Now),
            Type = TwinProperty.DeletedType,
        };
        return after == current ? default : new PropertyOutcome(entry.Name, current, after) { IsTold = true };
    }

    private static bool IsStale(TwinValue? current, TwinVersion? version) => current is not null && version is { } given && IsOlder(given, current);

    private static TwinValue? Tombstone(TwinValue? current, TwinVersion? version, long now) => version is { } given
        ? new TwinValue { Timestamp = current?.Timestamp ?? now, Version = given }
        : current is null ? null : current with { Value = null };
}
