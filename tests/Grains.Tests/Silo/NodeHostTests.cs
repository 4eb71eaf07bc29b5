using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeOrleans.Modules;
using EdgeOrleans.Nodes;
using EdgeOrleans.Settings;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeOrleans;

public sealed class NodeHostTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgeorleans-node-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_started_node_is_ready_names_its_doors_and_follows_the_config_centre()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (given, centre) = (new CommandLineSettings(), new ConfigCentre());
        given.Take(
        [
            $"--silo.port={FreePorts.Take()}", $"--silo.gatewayPort={FreePorts.Take()}", "--http.listen=http://127.0.0.1:0",
            "--modules.eventBus.enable=false", "--log.level=error",
        ]);
        given.Set("data", _folder.FullName, "--data");
        using var host = NodeHost.Build(new SettingsLadder([given, centre]));
        await host.StartAsync(cancellation);
        var running = DateTimeOffset.UtcNow;

        var node = host.Services.GetRequiredService<IGrainFactory>().GetGrain<INodeGrain>(INodeGrain.Key);
        var info = await node.GetInfoAsync();
        var doors = info.Doors;
        var modules = await node.GetModulesAsync();
        using var http = new HttpClient { BaseAddress = new Uri(doors["http"]) };
        using var ready = await http.GetAsync(new Uri("/readyz", UriKind.Relative), cancellation);
        var body = await ready.Content.ReadFromJsonAsync<JsonElement>(cancellation);
        var metrics = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellation);
        centre.Set(new Dictionary<string, string> { ["log.libraries"] = "error" });

        Assert.InRange(info.Started, running.AddMinutes(-5), running);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal("disabled", body.GetProperty("modules").GetProperty("eventBus").GetString());
        Assert.Contains(modules, m => m is { Name: ModuleNames.DeviceTwin, State: ModuleState.Running });
        Assert.Contains("console", doors.Keys);
        Assert.Contains("# TYPE edgeorleans_", metrics, StringComparison.Ordinal);
        Assert.Equal(LogLevel.Error, host.Services.GetRequiredService<IOptionsMonitor<LogOptions>>().CurrentValue.Libraries);
        Assert.Throws<RefusedException>(() => centre.Set(new Dictionary<string, string> { ["log.libraries"] = "loud" }));
        await host.StopAsync(cancellation);
    }
}
