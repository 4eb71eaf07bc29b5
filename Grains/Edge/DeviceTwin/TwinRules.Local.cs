using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What a request does to one property.</summary>
internal readonly record struct PropertyOutcome(string Name, TwinProperty? Before, TwinProperty After)
{
    /// <summary>Whether it shows in the document.</summary>
    public bool IsTold { get; init; }

    /// <summary>Whether it was deleted now.</summary>
    public bool IsDelete { get; init; }

    /// <summary>What the result says of it.</summary>
    public TwinParts Answer { get; init; }

    /// <summary>What goes up; nothing is not sent.</summary>
    public TwinParts Up { get; init; }

    public bool IsNothing => After is null;
}

internal static partial class TwinRules
{
    /// <summary>One entry of a local update.</summary>
    /// <returns>Why the whole update is refused; null when this entry is fine.</returns>
    private static string? Report(TwinProperty? current, TwinEntry entry, TwinTerms terms, out PropertyOutcome outcome)
    {
        outcome = default;
        if (entry.IsNull)
        {
            outcome = current is null ? default : Delete(current, entry.Name);
            return null;
        }

        var model = terms.ModelOf(entry.Name);
        if (model is { ReadOnly: true } && entry.Expected.IsGiven)
        {
            return $"{entry.Name} is read-only in the device's model; it takes no expected value";
        }

        var dead = current is { IsDeleted: true };
        var type = current is null || dead ? entry.Type ?? TwinTypes.Text : current.Type;
        var reason = WhyNot(model, type, entry.Name, entry.Expected.Value) ?? WhyNot(model, type, entry.Name, entry.Actual.Value);
        if (reason is null)
        {
            outcome = current is null ? Create(entry, model?.TwinType ?? type, terms.Now) : Change(current, entry, model, terms.Now);
        }

        return reason;
    }

    private static string? WhyNot(ModelProperty? model, string type, string name, string? value) =>
        value is null ? null : model is null ? TwinTypes.WhyNot(type, value) : model.WhyNot(name, value);

    /// <summary>A property that is new. An empty text begins a version and is no value yet.</summary>
    private static PropertyOutcome Create(TwinEntry entry, string type, long now)
    {
        var made = new TwinProperty
        {
            Expected = First(entry.Expected, new TwinVersion(0, 1), now),
            Actual = First(entry.Actual, new TwinVersion(0, 1), now),
            Optional = entry.Optional ?? true,
            Type = type,
        };
        return new PropertyOutcome(entry.Name, null, made) { IsTold = true, Answer = made.Visible(), Up = made.Visible() | made.Versions() };
    }

    private static TwinValue? First(GivenValue given, TwinVersion version, long now) =>
        given.IsGiven ? new TwinValue { Value = given.Value is { Length: > 0 } ? given.Value : null, Timestamp = now, Version = version } : null;

    private static PropertyOutcome Change(TwinProperty current, TwinEntry entry, ModelProperty? model, long now)
    {
        var after = current;
        var answer = TwinParts.None;
        if (entry.Expected.IsGiven)
        {
            after = after with { Expected = Next(after.Expected, entry.Expected.Value!, now) };
            answer |= TwinParts.Expected | TwinParts.Optional | TwinParts.Type;
        }

        if (entry.Actual.IsGiven)
        {
            after = after with { Actual = Next(after.Actual, entry.Actual.Value!, now) };
            answer |= TwinParts.Actual | TwinParts.Optional | TwinParts.Type;
        }

        var versions = VersionsOf(answer);
        if (entry.Optional == false && current.Optional)
        {
            after = after with { Optional = false };
            answer |= TwinParts.Optional;
        }

        if (current.IsDeleted)
        {
            after = after with { Type = entry.Type ?? TwinTypes.Text };
            answer |= after.Type == current.Type ? TwinParts.None : TwinParts.Type;
        }

        if (model is not null && versions != TwinParts.None)
        {
            after = after with { Type = model.TwinType };
        }

        // Another type on a property that lives is not taken over; it still counts as news, as old mappers' "Updated" does.
        var told = answer != TwinParts.None || (entry.Type is not null && entry.Type != current.Type);
        return told ? new PropertyOutcome(entry.Name, current, after) { IsTold = true, Answer = answer, Up = answer | versions } : default;
    }

    private static TwinValue Next(TwinValue? current, string value, long now)
    {
        var version = current?.Version ?? default;
        return new TwinValue { Value = value, Timestamp = now, Version = Next(version) };
    }

    private static TwinVersion Next(TwinVersion version) => version with { Edge = version.Edge == long.MaxValue ? long.MaxValue : version.Edge + 1 };

    private static TwinParts VersionsOf(TwinParts values) =>
        (values.HasFlag(TwinParts.Expected) ? TwinParts.ExpectedVersion : TwinParts.None)
        | (values.HasFlag(TwinParts.Actual) ? TwinParts.ActualVersion : TwinParts.None);

    /// <summary>A property that goes leaves its versions behind, so that older values cannot come back.</summary>
    private static PropertyOutcome Delete(TwinProperty current, string name)
    {
        if (!current.Optional || current.IsDeleted)
        {
            return default;
        }

        var bare = current.Expected is null && current.Actual is null;
        var after = current with
        {
            Expected = bare ? Gone(new TwinValue()) : Gone(current.Expected),
            Actual = bare ? Gone(new TwinValue()) : Gone(current.Actual),
            Type = TwinProperty.DeletedType,
        };
        return new PropertyOutcome(name, current, after) { IsTold = true, IsDelete = true, Up = Buried(after) };
    }

    /// <summary>What goes up of a tombstone: both versions, and an empty side for each that had a value.</summary>
    private static TwinParts Buried(TwinProperty property) =>
        TwinParts.Optional | TwinParts.Type | TwinParts.ExpectedVersion | TwinParts.ActualVersion
        | (property.Expected is null ? TwinParts.None : TwinParts.Expected) | (property.Actual is null ? TwinParts.None : TwinParts.Actual);

    private static TwinValue? Gone(TwinValue? value) =>
        value is null ? null : value with { Value = null, Version = Next(value.Version) };
}
