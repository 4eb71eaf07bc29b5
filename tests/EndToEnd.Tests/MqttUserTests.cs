using System.Globalization;

namespace EdgeOrleans.EndToEnd;

/// <summary>What the console makes for a client is good for a client that is not ours.</summary>
public sealed class MqttUserTests : IDisposable
{
    private const string Device = "$hw/events/device/shop/till-1/twin";

    private readonly TempFolder _folder = new();
    private readonly int _tlsPort = FreePorts.Take();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_password_and_a_certificate_of_the_console_let_mosquittos_clients_in_and_a_removed_user_stays_out()
    {
        Assert.SkipWhen(Mosquitto.Missing is not null, Mosquitto.Missing ?? "");
        await using var node = await new NodeProcess(
            $"--modules.eventBus.mqttUserFile={_folder.PathOf("users")}",
            $"--modules.eventBus.mqttServerTls=ssl://127.0.0.1:{_tlsPort.ToString(CultureInfo.InvariantCulture)}").StartAsync();
        var made = (await node.Console.OutputAsync("mqtt", "user", "add", "shop/till-1")).TrimEnd();
        (await node.Console.RunWithInputAsync("swordfish\n", "mqtt", "user", "add", "pump-1", "--password-stdin")).Succeeded();
        await node.Console.OutputAsync("mqtt", "certificate", "shop/till-1", "--out", _folder.Path);
        string[] certificate =
        [
            "-V", "mqttv5", "--cafile", _folder.PathOf("ca.crt"), "--cert", _folder.PathOf("shop-till-1.crt"), "--key", _folder.PathOf("shop-till-1.key"),
        ];
        var plain = new Mosquitto(node.MqttPort);

        await using var heard = await new Mosquitto(_tlsPort).SubscribeAsync($"{Device}/update/result", certificate);
        (await plain.PublishAsync($"{Device}/update", TwinJson.Report("till", ("serial", "7")), As("shop/till-1", made))).Succeeded();
        var stranger = await plain.PublishAsync($"{Device}/update", TwinJson.Report("pump", ("serial", "8")), As("pump-1", "swordfish"));
        var removed = await node.Console.OutputAsync("mqtt", "user", "remove", "shop/till-1");
        var late = await plain.PublishAsync($"{Device}/update", TwinJson.Report("late", ("serial", "9")), As("shop/till-1", made));
        (await new Mosquitto(_tlsPort).PublishAsync($"{Device}/update", TwinJson.Report("with a certificate", ("serial", "10")), ["-q", "1", .. certificate])).Succeeded();

        Assert.Contains("\"7\"", await heard.MessageAsync("\"till\""), StringComparison.Ordinal);
        Assert.Contains("\"10\"", await heard.MessageAsync("\"with a certificate\""), StringComparison.Ordinal);
        Assert.DoesNotContain(heard.Messages, static message => message.Contains("\"8\"", StringComparison.Ordinal) || message.Contains("\"9\"", StringComparison.Ordinal));
        Assert.Equal("user/shop/till-1 removed", removed.TrimEnd());
        Assert.Contains("authorized", stranger.Output + stranger.Error, StringComparison.OrdinalIgnoreCase);
        Assert.NotEqual(0, late.ExitCode);
        Assert.DoesNotContain(made, node.Output.Text + node.Error.Text, StringComparison.Ordinal);
    }

    private static string[] As(string user, string password) => ["-V", "mqttv5", "-q", "1", "-u", user, "-P", password];
}
