namespace EdgeOrleans.Fault;

/// <summary>A database file that is not what it was.</summary>
public sealed class DamageTests
{
    [Fact]
    public async Task A_file_that_is_no_database_is_set_aside_and_the_node_starts_clean_and_says_so()
    {
        await using var node = await WithAReportAsync();
        var file = Database(node);
        await File.WriteAllBytesAsync(file, [.. Enumerable.Repeat((byte)0x5a, 64 * 1024)], TestContext.Current.CancellationToken);
        DeleteJournals(file);

        await node.StartAsync();

        Assert.Contains(node.Output.Lines, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains("set aside", StringComparison.Ordinal));
        Assert.Contains(Directory.GetFiles(node.Data), path => path.StartsWith(file, StringComparison.Ordinal) && path.Contains("damaged", StringComparison.Ordinal));
        await AssertWorksAsync(node);
    }

    [Fact]
    public async Task A_file_that_was_cut_short_is_set_aside_and_the_node_starts_clean()
    {
        await using var node = await WithAReportAsync();
        var file = Database(node);
        DeleteJournals(file);
        await using (var stream = File.OpenWrite(file))
        {
            stream.SetLength(stream.Length / 2);
        }

        await node.StartAsync();

        await AssertWorksAsync(node);
    }

    [Fact]
    public async Task A_page_of_garbage_never_ends_the_node_and_is_healed_by_the_next_start_at_the_latest()
    {
        await using var node = await WithAReportAsync();
        var file = Database(node);
        DeleteJournals(file);
        await using (var stream = File.OpenWrite(file))
        {
            stream.Position = stream.Length - 4096;
            await stream.WriteAsync(Enumerable.Repeat((byte)0xa5, 4096).ToArray(), TestContext.Current.CancellationToken);
        }

        await node.StartAsync();
        await using (var probe = await MqttProbe.ConnectAsync(node.MqttPort))
        {
            // Without QoS: an update that cannot be stored costs no connection, and its error comes as the answer.
            var answer = await probe.AskAsync("$hw/events/device/default/after-1/twin/update", id => TwinJson.Report(id, ("temperature", "22")), qos: 0);
            Assert.Contains(answer.Code, (int[])[0, 500]);
        }

        Assert.Equal(200, (await node.GetAsync("/healthz")).Status);
        await node.StopAsync();
        await node.StartAsync();
        await AssertWorksAsync(node);
    }

    private static async Task<NodeProcess> WithAReportAsync()
    {
        var node = await new NodeProcess().StartAsync();
        await using (var probe = await MqttProbe.ConnectAsync(node.MqttPort))
        {
            for (var device = 0; device < 50; device++)
            {
                await probe.ReportAsync($"default/pump-{device}", ("temperature", "22"));
            }
        }

        Assert.Equal(0, await node.StopAsync());
        return node;
    }

    private static string Database(NodeProcess node) => Assert.Single(Directory.GetFiles(node.Data, "*.db"));

    private static void DeleteJournals(string file)
    {
        File.Delete(file + "-wal");
        File.Delete(file + "-shm");
    }

    private static async Task AssertWorksAsync(NodeProcess node)
    {
        await using var probe = await MqttProbe.ConnectAsync(node.MqttPort);
        Assert.Equal(0, (await probe.ReportAsync("default/after-1", ("temperature", "23"))).Code);
        Assert.Equal("23", (await probe.GetAsync("default/after-1")).Actual("temperature"));
        Assert.Equal(200, (await node.GetAsync("/healthz")).Status);
    }
}
