using System.Text.Json;
using EdgeOrleans.Conformance.Golden;

namespace EdgeOrleans.Conformance.Running;

/// <summary>What each fixture of the golden cases does before the case begins.</summary>
internal static class Fixtures
{
    private const string Announcement = """{"event_id":"e","timestamp":1,"added_devices":[{"id":"default/DEVICE","name":"DEVICE","description":"d1"}],"removed_devices":null}""";

    private const string AnnouncementWithTwin = """
        {"event_id":"e","timestamp":1,"added_devices":[{"id":"default/DEVICE","name":"DEVICE","description":"d1","twin":{
        "temp":{"expected":{"value":"10"},"optional":true,"metadata":{"type":"int"},"expected_version":{"cloud":1,"edge":0}}}}],"removed_devices":null}
        """;

    /// <summary>The steps of a fixture for a device of the default namespace.</summary>
    public static IReadOnlyList<GoldenInput> Steps(string fixture, string deviceName) => fixture switch
    {
        "F0" => [],
        "FD" => [FromCloud(Announcement, deviceName)],
        "FA" => [.. Steps("FD", deviceName), Update(deviceName, """{"temp":{"actual":{"value":"22"},"metadata":{"type":"int"}}}""")],
        "FE" => [.. Steps("FA", deviceName), Update(deviceName, """{"temp":{"expected":{"value":"25"}}}""")],
        "FT" => [.. Steps("FA", deviceName), Update(deviceName, """{"temp":null}""")],
        "FC" => [.. Steps("FD", deviceName), FromCloud(AnnouncementWithTwin, deviceName)],
        _ => throw new ArgumentOutOfRangeException(nameof(fixture), fixture, "no such fixture"),
    };

    /// <summary>The hub says that the link came up or went down.</summary>
    public static GoldenInput Link(bool up) =>
        ToTwin("edgehub", "connect", "node/connection", JsonSerializer.SerializeToElement(up ? "cloud_connected" : "cloud_disconnected"));

    /// <summary>The cloud takes devices away.</summary>
    public static GoldenInput Removal(IEnumerable<string> ids) => ToTwin("devicecontroller", "update", "membership", JsonSerializer.SerializeToElement(new
    {
        event_id = "e",
        timestamp = 1,
        added_devices = (object?)null,
        removed_devices = ids.Select(id => new { id }),
    }));

    private static GoldenInput Update(string deviceName, string twin) =>
        new() { Mqtt = $"$hw/events/device/default/{deviceName}/twin/update", Payload = $$"""{"event_id":"s","twin":{{twin}}}""" };

    private static GoldenInput FromCloud(string json, string deviceName) => ToTwin(
        "devicecontroller",
        "update",
        "membership",
        JsonDocument.Parse(json.Replace("DEVICE", deviceName, StringComparison.Ordinal)).RootElement);

    private static GoldenInput ToTwin(string source, string operation, string resource, JsonElement content) =>
        new() { Bus = "twin", Source = source, Operation = operation, Resource = resource, Content = content };
}
