using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>The broker over TLS, with the real mosquitto clients.</summary>
public sealed class MqttTlsTests
{
    private const string Topic = "$hw/events/device/default/pump-1/twin/update";

    [Fact]
    public async Task A_client_with_a_certificate_of_the_nodes_own_authority_is_who_it_says()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        using var folder = new TempFolder();
        await using var node = await StartAsync(("tlsRequireClientCertificate", "true"));
        var own = Certificate(node, folder, "pump-1");
        var other = Certificate(node, folder, "pump-2");

        (await PublishAsync(node, Topic, own)).Succeeded();
        var refused = await PublishAsync(node, Topic, other);

        Assert.Contains("authori", refused.Output + refused.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(1, Refused(node, "mqtt.not-authorized"));
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_let_in_by_its_password_alone()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        using var folder = new TempFolder();
        var users = new UserFile(folder.Write("users", ""), "");
        users.Set("pump-1", "right"u8);
        await using var node = await StartAsync(("mqttUserFile", users.Path));
        string[] trust = ["--cafile", Path.Combine(node.DataFolder, "mqtt", "ca.crt")];

        (await PublishAsync(node, Topic, [.. trust, "-u", "pump-1", "-P", "right"])).Succeeded();
        var wrong = await PublishAsync(node, Topic, [.. trust, "-u", "pump-1", "-P", "wrong"]);

        Assert.NotEqual(0, wrong.ExitCode);
        Assert.Equal(1, Refused(node, "mqtt.wrong-password"));
    }

    [Fact]
    public async Task A_client_without_the_certificate_that_it_needs_or_with_a_foreign_one_fails_in_the_handshake()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        using var folder = new TempFolder();
        await using var node = await StartAsync(("tlsRequireClientCertificate", "true"));
        await using var stranger = await StartAsync(("tlsRequireClientCertificate", "true"));
        string[] foreign = Certificate(stranger, folder, "pump-1");
        foreign[1] = Path.Combine(node.DataFolder, "mqtt", "ca.crt");

        var none = await PublishAsync(node, Topic, "--cafile", foreign[1]);
        var bad = await PublishAsync(node, Topic, foreign);

        Assert.NotEqual(0, none.ExitCode);
        Assert.NotEqual(0, bad.ExitCode);
        Assert.Equal(2, Refused(node, "mqtt.tls-failed"));
    }

    [Fact]
    public async Task A_certificate_and_another_name_in_the_same_breath_are_refused()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        using var folder = new TempFolder();
        await using var node = await StartAsync(("tlsRequireClientCertificate", "true"));

        var refused = await PublishAsync(node, Topic, [.. Certificate(node, folder, "pump-1"), "-u", "pump-2", "-P", "x"]);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Equal(1, Refused(node, "mqtt.other-user"));
    }

    [Fact]
    public async Task Who_opens_the_port_for_TLS_and_does_not_speak_it_is_ended_and_disturbs_nobody()
    {
        await using var node = await StartAsync(("connectTimeout", "1s"));
        using var plain = await MqttSocket.OpenAsync(TlsPort(node));
        using var silent = await MqttSocket.OpenAsync(TlsPort(node));

        await plain.SendAsync(MqttPacket.Connect("plain"));

        await plain.EndAsync();
        await silent.EndAsync();
        using var client = new TcpClient("127.0.0.1", TlsPort(node));
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = Trust(node), EnabledSslProtocols = SslProtocols.Tls13 }, TestContext.Current.CancellationToken);
        Assert.True(tls.IsAuthenticated);
    }

    private static X509ChainPolicy Trust(EdgeNode node)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(Path.Combine(node.DataFolder, "mqtt", "ca.crt"));
        return policy;
    }

    private static string[] Certificate(EdgeNode node, TempFolder folder, string user)
    {
        var issued = node.Services.GetRequiredService<BrokerCertificates>().Issue(user, TimeSpan.FromDays(1));
        var name = $"{user}-{Guid.NewGuid():N}";
        return
        [
            "--cafile", folder.Write($"{name}.ca", issued.CaPem),
            "--cert", folder.Write($"{name}.crt", issued.CertificatePem),
            "--key", folder.Write($"{name}.key", issued.KeyPem),
        ];
    }

    private static Task<CommandResult> PublishAsync(EdgeNode node, string topic, params string[] more) =>
        new Mosquitto(TlsPort(node)).PublishAsync(topic, TwinJson.Report("tls", ("a", "1")), ["-V", "5", "-q", "1", .. more]);

    private static int TlsPort(EdgeNode node) => node.Services.GetRequiredService<MqttBroker>().TlsAddresses[0].Port;

    private static Task<EdgeNode> StartAsync(params (string Key, string Value)[] more)
    {
        var settings = new Dictionary<string, string>
        {
            ["modules.eventBus.mqttServerTls"] = "ssl://127.0.0.1:0",
            ["modules.deviceTwin.unknownDevices"] = "register",
        };
        foreach (var (key, value) in more)
        {
            settings[$"modules.eventBus.{key}"] = value;
        }

        return EdgeNode.StartAsync(settings);
    }

    private static long Refused(EdgeNode node, string reason) => node.Services.GetRequiredService<Refusals>().Snapshot().GetValueOrDefault(reason);
}
