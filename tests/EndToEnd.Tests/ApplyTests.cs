namespace EdgeOrleans.EndToEnd;

/// <summary>Devices and models as YAML, in KubeEdge's form.</summary>
public sealed class ApplyTests(RunningNode running) : IClassFixture<RunningNode>
{
    private readonly NodeProcess _node = running.Node;

    [Fact]
    public async Task An_applied_model_is_enforced_for_what_the_device_says()
    {
        await ApplyAsync();
        await using var device = await MqttProbe.ConnectAsync(_node.MqttPort);

        Assert.Equal(0, (await ReportAsync(device, "temperature", "22")).Code);
        Assert.Equal(400, (await ReportAsync(device, "temperature", "95")).Code);
        Assert.Equal(400, (await ReportAsync(device, "temperature", "warm")).Code);

        var twin = await device.GetAsync("default/pump-1");
        Assert.Equal("22", twin.Actual("temperature"));
        Assert.Equal("25", twin.Expected("temperature"));
    }

    [Fact]
    public async Task An_applied_model_is_enforced_for_what_the_console_wants()
    {
        await ApplyAsync();

        var readOnly = await _node.Console.RunAsync("twin", "set", "pump-1", "pressure=3");
        var tooHot = await _node.Console.RunAsync("twin", "set", "pump-1", "temperature=95");
        var right = await _node.Console.RunAsync("twin", "set", "pump-1", "temperature=26");
        await _node.Console.OutputAsync("twin", "set", "pump-1", "temperature=25");

        Assert.All([readOnly, tooHot], refused => Assert.NotEqual(0, refused.ExitCode));
        Assert.Contains("pressure", Assert.Single(readOnly.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(0, right.ExitCode);
    }

    [Fact]
    public async Task Applying_the_same_again_changes_nothing_and_a_deleted_device_is_gone()
    {
        await ApplyAsync();
        await ApplyAsync();
        await _node.Console.RunWithInputAsync(Samples.PumpYaml.Replace("pump-1", "pump-2", StringComparison.Ordinal), "apply", "-f", "-");

        await _node.Console.OutputAsync("delete", "device", "pump-2");

        var devices = await _node.Console.OutputAsync("get", "devices", "-o", "json");
        Assert.Contains("default/pump-1", devices, StringComparison.Ordinal);
        Assert.DoesNotContain("default/pump-2", devices, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind: [")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata: {name: a}")]
    [InlineData("apiVersion: devices.kubeedge.io/v1beta1\nkind: Device\nmetadata: {name: 'Not A Name'}")]
    public async Task A_document_that_cannot_be_applied_is_refused_with_a_sentence(string yaml)
    {
        var refused = await _node.Console.RunWithInputAsync(yaml, "apply", "-f", "-");

        Assert.NotEqual(0, refused.ExitCode);
        Assert.NotEmpty(refused.ErrorLines);
        Assert.DoesNotContain("   at ", refused.Error, StringComparison.Ordinal);
    }

    private static Task<Heard> ReportAsync(MqttProbe device, string property, string value) => device.AskAsync(
        "$hw/events/device/default/pump-1/twin/update", id => TwinJson.Report(id, "int", (property, value)));

    private async Task ApplyAsync()
    {
        using var folder = new TempFolder();
        await _node.Console.OutputAsync("apply", "-f", folder.Write("pump.yaml", Samples.PumpYaml));
    }
}
