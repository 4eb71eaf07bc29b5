using EdgeOrleans.Commands;
using EdgeOrleans.Settings;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace EdgeOrleans;

public sealed class CloudRoleTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_cloud_has_ports_of_its_own_and_every_source_wins_over_them()
    {
        _folder.Write("conf/a.yaml", "silo: {gatewayPort: 7}\n");

        var text = Printing.Effective(Read("cloud", "--data", _folder.Path).Ladder, Role.Cloud);
        var node = Printing.Effective(Read("--data", _folder.Path).Ladder);

        Assert.Contains("port: 11211  # from default of the role cloud", text, StringComparison.Ordinal);
        Assert.Contains("gatewayPort: 7  # from ", text, StringComparison.Ordinal);
        Assert.Contains("listen: http://127.0.0.1:10180", text, StringComparison.Ordinal);
        Assert.Contains("port: 11111  # from default", node, StringComparison.Ordinal);
        Assert.Contains("listen: http://127.0.0.1:10080", node, StringComparison.Ordinal);
    }

    [Fact]
    public void The_printed_defaults_of_a_cloud_load_as_they_are_and_change_nothing()
    {
        _folder.Write("conf/all.yaml", Printing.Default(Role.Cloud));
        _folder.Write("min/min.yaml", Printing.Minimal(Role.Cloud));
        var without = Values(new SettingsLadder(RoleDefaults.Of(Role.Cloud)));

        foreach (var folder in (string[])["conf", "min"])
        {
            Assert.Equal(without, Values(new SettingsLadder([.. RoleDefaults.Of(Role.Cloud), new ConfFolder(_folder.PathOf(folder))])));
        }
    }

    [Theory]
    [InlineData("--modules.cloudHub.https.address=here", "modules.cloudHub.https has the address \"here\"")]
    [InlineData("--modules.cloudHub.advertiseAddress=cloud.example:10000", "must be an IP address or a host name without a port")]
    [InlineData("--modules.cloudHub.nodeCertificateLifetime=5s", "modules.cloudHub.nodeCertificateLifetime")]
    [InlineData("--modules.cloudHub.https.prot=1", "did you mean modules.cloudHub.https.port?")]
    public void A_wrong_setting_of_the_cloud_stops_the_start_with_a_sentence(string argument, string says)
    {
        var settings = Read("cloud", "--data", _folder.Path, argument);

        var error = Assert.Throws<SettingsException>(() => NodeHost.Build(settings.Ladder, role: settings.Role));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_and_a_damaged_authority_stop_the_start_with_a_sentence()
    {
        await using var first = await CloudSilo.StartAsync();
        _folder.Write("cloud-ca.pem", "nothing");

        var taken = await Assert.ThrowsAsync<StartRefusedException>(
            () => CloudSilo.StartAsync(new Dictionary<string, string> { ["modules.cloudHub.https.port"] = $"{first.Bootstrap.Port}" }));
        var damaged = await Assert.ThrowsAsync<StartRefusedException>(() => CloudSilo.StartAsync(data: _folder.Path));

        Assert.Contains("--modules.cloudHub.https.port=PORT", taken.Message, StringComparison.Ordinal);
        Assert.Contains("is damaged", damaged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cloud_and_a_node_run_side_by_side()
    {
        await using var cloud = await CloudSilo.StartAsync();
        await using var node = await EdgeNode.StartAsync();

        Assert.Throws<ArgumentException>(() => node.Grains.GetGrain<Joining.IJoinTokensGrain>(Joining.IJoinTokensGrain.Key));
        Assert.Empty(await cloud.JoinTokens.ListAsync());
        Assert.Equal(TimeSpan.FromDays(365), cloud.Services.GetRequiredService<IOptions<Cloud.CloudHub.CloudHubOptions>>().Value.NodeCertificateLifetime);
    }

    private static NodeSettings Read(params string[] arguments) => NodeSettings.Read(arguments);

    private static List<string> Values(SettingsLadder ladder) =>
        [.. Printing.Effective(ladder, Role.Cloud).Split('\n').Where(l => !l.StartsWith('#')).Select(l => l.Split("  # ")[0])];
}
