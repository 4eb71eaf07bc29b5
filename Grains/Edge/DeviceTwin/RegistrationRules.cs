using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What a device's document does to the device.</summary>
internal static class RegistrationRules
{
    /// <summary>Takes over description and model; desired values that are new become expected ones.</summary>
    public static TwinChange Apply(TwinRecord record, DeviceRegistration registration, TwinTerms terms)
    {
        var known = record.Exists ? record : TwinRecord.Of(terms.Device);
        var described = known.Description == registration.Description && known.Model == registration.Model
            ? known
            : known with { Description = registration.Description, Model = registration.Model };
        var change = Desire(described, registration, terms);
        if (change.Code != 0)
        {
            return TwinChange.Silent(record, change.Code, change.Refusal!) with { Reason = $"spec.properties: {change.Reason}" };
        }

        if (record.Exists)
        {
            return change;
        }

        var member = new Member(terms.Device, known.Name, registration.Description, "", "");
        return change with { Publications = change.Publications.Add(MembershipWriter.Notification(member, isAdded: true, terms)) };
    }

    private static TwinChange Desire(TwinRecord record, DeviceRegistration registration, TwinTerms terms)
    {
        var entries = registration.Desired
            .Where(desired => record.Twin.GetValueOrDefault(desired.Key) is not { IsDeleted: false, Expected: { } expected } || expected.Value != desired.Value)
            .OrderBy(desired => desired.Key, StringComparer.Ordinal)
            .Select(desired => new TwinEntry(desired.Key) { Expected = new GivenValue(true, desired.Value) })
            .ToArray();
        if (entries.Length == 0)
        {
            return new TwinChange(record);
        }

        return TwinRules.Validate(entries, terms) is { } reason
            ? TwinChange.Silent(record, 400, "twin.value") with { Reason = reason }
            : TwinRules.Order(record, entries, terms);
    }
}
