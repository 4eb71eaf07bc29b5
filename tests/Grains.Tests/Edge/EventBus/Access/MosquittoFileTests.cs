using System.Globalization;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>The real mosquitto and its tool read and write the same files.</summary>
public sealed class MosquittoFileTests : IDisposable
{
    private const string Broker = "/usr/sbin/mosquitto";
    private const string Tool = "/usr/bin/mosquitto_passwd";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Path => _folder.PathOf("users");

    [Fact]
    public async Task Mosquitto_lets_in_whom_our_file_names_and_refuses_a_wrong_password()
    {
        Assert.SkipUnless(File.Exists(Broker) && Mosquitto.Missing is null, "mosquitto is not installed");
        new UserFile(Path, "").Set("default/pump-1", "pass wörd"u8);
        var port = FreePorts.Take();
        await using var broker = await StartAsync(port);
        var client = new Mosquitto(port);

        Assert.True((await client.PublishAsync("a", "b", "-u", "default/pump-1", "-P", "pass wörd")).ExitCode == 0);
        Assert.False((await client.PublishAsync("a", "b", "-u", "default/pump-1", "-P", "wrong")).ExitCode == 0);
    }

    [Fact]
    public async Task What_mosquitto_passwd_has_written_lets_in_here_and_it_finds_its_way_in_our_file()
    {
        Assert.SkipUnless(File.Exists(Tool), "mosquitto_passwd is not installed");
        var file = new UserFile(Path, "");
        file.Set("ours", "a"u8);
        await ChildProcess.RunAsync(Tool, ["-b", Path, "theirs", "geheim"]);
        file.Set("later", "c"u8);
        await ChildProcess.RunAsync(Tool, ["-D", Path, "ours"]);

        var users = file.Load();

        Assert.Equal(["later", "theirs"], users.Names);
        Assert.True(users.Find("theirs")!.Verify("geheim"u8));
    }

    private async Task<ChildProcess> StartAsync(int port)
    {
        var settings = _folder.Write(
            "mosquitto.conf",
            string.Create(CultureInfo.InvariantCulture, $"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {Path}\nuser {Environment.UserName}\n"));
        var broker = ChildProcess.Start(Broker, ["-v", "-c", settings]);
        await broker.Error.LineAsync(" running");
        return broker;
    }
}
