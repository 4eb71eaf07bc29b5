using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// What clients may do where no file of rules says it. All may use the topics that do not begin with <c>$</c>. One with a user may publish
/// below <c>$hw/events/upload</c>; and when the user is called like a device, <c>namespace/name</c> or <c>name</c> for namespace default, it
/// may publish that device's requests and hear that device's topics.
/// </summary>
/// <remarks>
/// The form of a topic without a namespace can be read as one of a device in a namespace: <c>$hw/events/device/a/twin/…</c> belongs to the
/// device default/a and to a device called twin in the namespace a. Where that is so only what is one's own is granted, so a client of
/// default/a hears <c>$hw/events/device/default/a/#</c> and <c>$hw/events/device/a/twin/update/#</c>, and not <c>$hw/events/device/a/#</c>:
/// that one stands for every device of the namespace a.
/// </remarks>
internal sealed class DefaultRules : AccessRules
{
    private const string Device = "$hw/events/device/";
    private const string Upload = "$hw/events/upload";

    private static readonly string[] Requests = ["twin/get", "twin/update", "twin/cloud_updated", "state/update"];

    // Below the name of a device, where nothing there can belong to another.
    private static readonly string[] Own = ["#"];

    // Below the name of a device that is called like the part of a topic that follows a name.
    private static readonly string[] OwnOfPart = ["twin/#", "state/#", "updated"];

    // Below a name without a namespace. What the node publishes there has one or two levels below 'twin', and is written out.
    private static readonly string[] OwnWithoutNamespace =
    [
        "twin/get/#", "twin/update/#", "twin/cloud_updated/#", "twin/+/result", "twin/+/document", "twin/+/delta", "state/update/#", "updated",
    ];

    /// <inheritdoc/>
    public override bool MayPublish(AccessIdentity identity, string topic)
    {
        if (!topic.StartsWith('$'))
        {
            return true;
        }

        return !identity.IsAnonymous && identity.User is { } user && (IsUpload(topic) || IsRequest(user, topic));
    }

    /// <inheritdoc/>
    public override bool MaySubscribe(AccessIdentity identity, string filter)
    {
        if (!filter.StartsWith('$'))
        {
            return true;
        }

        return !identity.IsAnonymous && identity.User is { } user && filter.StartsWith(Device, StringComparison.Ordinal) && MayHear(user, filter);
    }

    private static bool IsUpload(string topic) =>
        topic.StartsWith(Upload, StringComparison.Ordinal) && (topic.Length == Upload.Length || topic[Upload.Length] == '/');

    private static bool IsRequest(string user, string topic)
    {
        if (!topic.StartsWith(Device, StringComparison.Ordinal) || !TryDevice(user, out var space, out var name))
        {
            return false;
        }

        var rest = topic.AsSpan(Device.Length);
        return (TryBelow(ref rest, space, name) || (IsDefault(space) && TryBelow(ref rest, name))) && Contains(Requests, rest);
    }

    private static bool MayHear(string user, string filter)
    {
        if (!TryDevice(user, out var space, out var name))
        {
            return false;
        }

        var rest = filter.AsSpan(Device.Length);
        var short_ = rest;
        return (TryBelow(ref rest, space, name) && Contains(name is "twin" or "state" or "updated" ? OwnOfPart : Own, rest))
            || (IsDefault(space) && TryBelow(ref short_, name) && Contains(OwnWithoutNamespace, short_));
    }

    private static bool TryDevice(string user, out ReadOnlySpan<char> space, out ReadOnlySpan<char> name)
    {
        var slash = user.IndexOf('/', StringComparison.Ordinal);
        space = slash < 0 ? DeviceId.DefaultNamespace : user.AsSpan(0, slash);
        name = user.AsSpan(slash + 1);
        return DeviceId.IsPart(space) && DeviceId.IsPart(name);
    }

    private static bool IsDefault(ReadOnlySpan<char> space) => space is DeviceId.DefaultNamespace;

    private static bool TryBelow(ref ReadOnlySpan<char> rest, ReadOnlySpan<char> space, ReadOnlySpan<char> name)
    {
        var below = rest;
        if (!TryBelow(ref below, space) || !TryBelow(ref below, name))
        {
            return false;
        }

        rest = below;
        return true;
    }

    private static bool TryBelow(ref ReadOnlySpan<char> rest, ReadOnlySpan<char> level)
    {
        if (rest.Length <= level.Length || rest[level.Length] != '/' || !rest.StartsWith(level))
        {
            return false;
        }

        rest = rest[(level.Length + 1)..];
        return true;
    }

    private static bool Contains(string[] filters, ReadOnlySpan<char> wish)
    {
        foreach (var filter in filters)
        {
            if (TopicFilters.ContainsLevels(filter, wish))
            {
                return true;
            }
        }

        return false;
    }
}
