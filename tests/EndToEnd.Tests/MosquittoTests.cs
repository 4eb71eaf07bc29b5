namespace EdgeOrleans.EndToEnd;

/// <summary>Clients that are not ours.</summary>
public sealed class MosquittoTests(RunningNode running) : IClassFixture<RunningNode>
{
    private readonly Mosquitto _mosquitto = new(running.Node.MqttPort);

    public static TheoryData<string, int, string> Clients()
    {
        var all = new TheoryData<string, int, string>();
        foreach (var version in (string[])["mqttv311", "mqttv5"])
        {
            foreach (var qos in (int[])[0, 1, 2])
            {
                all.Add(version, qos, "");
                all.Add(version, qos, "default/");
            }
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task An_update_and_a_get_are_answered_in_the_form_of_the_id_that_asked(string version, int qos, string ns)
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        var (name, value) = ($"{version}-{qos}{ns.TrimEnd('/')}", Guid.NewGuid().ToString("N"));
        var device = $"$hw/events/device/{ns}{name}";
        string[] client = ["-V", version, "-q", $"{qos}"];
        await using var heard = await _mosquitto.SubscribeAsync($"{device}/twin/#", client);

        (await _mosquitto.PublishAsync($"{device}/twin/update", TwinJson.Report($"u-{name}", ("serial", value)), client)).Succeeded();
        var updated = await heard.MessageAsync($"{device}/twin/update/result {{\"event_id\":\"u-{name}\"");
        (await _mosquitto.PublishAsync($"{device}/twin/get", $"{{\"event_id\":\"g-{name}\",\"timestamp\":0}}", client)).Succeeded();
        var got = await heard.MessageAsync($"{device}/twin/get/result {{\"event_id\":\"g-{name}\"");

        Assert.All([updated, got], message => Assert.Contains($"\"value\":\"{value}\"", message, StringComparison.Ordinal));
        Assert.All([updated, got], message => Assert.DoesNotContain("\"code\"", message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_document_of_a_device_in_the_default_namespace_goes_to_both_forms_of_its_id()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var shorter = await _mosquitto.SubscribeAsync("$hw/events/device/both-1/twin/update/document");
        await using var longer = await _mosquitto.SubscribeAsync("$hw/events/device/default/both-1/twin/update/document");

        await _mosquitto.PublishAsync("$hw/events/device/both-1/twin/update", TwinJson.Report("b", ("a", "1")), "-q", "1");

        await shorter.MessageAsync("\"current\"");
        await longer.MessageAsync("\"current\"");
    }

    [Theory]
    [InlineData("mqttv311", "mqttv5")]
    [InlineData("mqttv5", "mqttv311")]
    public async Task A_topic_of_the_devices_own_passes_from_client_to_client(string from, string to)
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var heard = await _mosquitto.SubscribeAsync("plant/+/noise", "-V", to, "-q", "2");

        (await _mosquitto.PublishAsync($"plant/{from}/noise", "not { JSON", "-V", from, "-q", "2")).Succeeded();

        Assert.Equal($"2 plant/{from}/noise not {{ JSON", await heard.MessageAsync(from));
    }

    [Fact]
    public async Task A_state_update_and_a_membership_get_are_answered()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var heard = await _mosquitto.SubscribeAsync("$hw/events/#");
        await _mosquitto.PublishAsync("$hw/events/device/m-1/twin/update", TwinJson.Report("m", ("a", "1")), "-q", "1");

        await _mosquitto.PublishAsync("$hw/events/device/m-1/state/update", """{"event_id":"s","timestamp":0,"state":"online"}""", "-q", "1");
        await _mosquitto.PublishAsync("$hw/events/node/any/membership/get", """{"event_id":"members","timestamp":0}""", "-q", "1");

        Assert.Contains("\"state\":\"online\"", await heard.MessageAsync("$hw/events/device/m-1/state/update/result"), StringComparison.Ordinal);
        Assert.Contains("default/m-1", await heard.MessageAsync("\"event_id\":\"members\",\"timestamp\":1"), StringComparison.Ordinal);
    }
}
