using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EdgeHub;

public sealed class RotationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task W23_the_next_certificate_is_used_on_a_second_link_before_the_first_one_ends_and_reports_go_on(bool cloudClosesTheFirst)
    {
        await using var cloud = await new TestCloud().StartAsync();
        using var folder = new Provisioned(cloud, TimeSpan.FromMinutes(-95), TimeSpan.FromMinutes(5));
        await using var node = await HubNode.StartAsync(cloud, folder.Settings);

        var first = await cloud.LinkAsync();
        var second = await cloud.LinkAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);
        var wasUp = !first.Ended.IsCompleted;
        if (cloudClosesTheFirst)
        {
            first.Close();
        }

        await second.NextAsync("membership/detail").WaitAsync(Patience, TestContext.Current.CancellationToken);
        await first.Ended.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await second.AddAsync("""{"id":"default/pump-1","name":"pump-1","twin":{}}""");
        await using var device = await MqttProbe.ConnectAsync(node.MqttPort);
        await device.ReportAsync("default/pump-1", ("temperature", "21"));
        await second.NextAsync("device/default/pump-1/twin/edge_updated").WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.True(wasUp);
        Assert.NotEqual(first.Serial, second.Serial);
        Assert.Equal(first.Serial, Assert.Single(cloud.Requests).Holder);
        Assert.Null(cloud.Requests[0].Bearer);
        Assert.False(node.Hub().IsDegraded);
    }

    private sealed class Provisioned : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("edge-certs-").FullName;

        public Provisioned(TestCloud cloud, TimeSpan from, TimeSpan until)
        {
            using var certificate = cloud.IssueTo("edge-1", from, until);
            cloud.Provision(_folder, certificate);
        }

        public (string, string)[] Settings =>
        [
            ("modules.edgeHub.token", ""),
            ("modules.edgeHub.tlsCaFile", Path.Combine(_folder, "certs", "ca.crt")),
            ("modules.edgeHub.tlsCertFile", Path.Combine(_folder, "certs", "node.crt")),
            ("modules.edgeHub.tlsPrivateKeyFile", Path.Combine(_folder, "certs", "node.key")),
        ];

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
