namespace EdgeOrleans.EndToEnd;

public sealed class HttpDoorTests(RunningNode running) : IClassFixture<RunningNode>
{
    private readonly NodeProcess _node = running.Node;

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    public async Task A_node_that_is_ready_says_so(string path) => Assert.Equal(200, (await _node.GetAsync(path)).Status);

    [Fact]
    public async Task Metrics_are_in_the_form_that_Prometheus_reads_and_count_what_happens()
    {
        await using var device = await MqttProbe.ConnectAsync(_node.MqttPort);
        await device.ReportAsync("default/metric-1", ("a", "1"));

        var (status, text) = await _node.GetAsync("/metrics");

        Assert.Equal(200, status);
        Assert.Contains("# TYPE ", text, StringComparison.Ordinal);
        Assert.Contains(text.Split('\n'), line => !line.StartsWith('#') && line.Contains("edgeorleans", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Another_path_is_not_found() => Assert.Equal(404, (await _node.GetAsync("/etc/passwd")).Status);
}
