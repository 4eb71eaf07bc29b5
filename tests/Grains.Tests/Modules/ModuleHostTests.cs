using System.Collections.Concurrent;
using EdgeOrleans.Beehive;
using EdgeOrleans.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;

namespace EdgeOrleans.Modules;

public sealed class ModuleHostTests : IAsyncDisposable
{
    private static readonly string UsersAssembly = Path.Combine(AppContext.BaseDirectory, "UserModule.dll");

    private readonly Journal _journal = new();
    private InProcessTestCluster? _cluster;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IServiceProvider Services => _cluster!.Silos[0].ServiceProvider;

    private IMessageContext Beehive => Services.GetRequiredService<IMessageContext>();

    [Fact]
    public async Task Modules_start_in_the_order_of_registration_and_stop_in_reverse()
    {
        await StartAsync(silo => silo.AddModule<First>("first", Groups.Twin).AddModule<Second>("second", Groups.Bus));

        await StopAsync();

        Assert.Equal(["first started", "second started", "second stopped", "first stopped"], _journal.Lines);
    }

    [Fact]
    public async Task A_module_that_cannot_start_is_failed_and_the_others_run()
    {
        await StartAsync(silo => silo.AddModule<Broken>("broken", Groups.Twin).AddModule<Second>("second", Groups.Bus));

        var modules = await Node().GetModulesAsync();

        Assert.Equal([ModuleState.Failed, ModuleState.Running], modules.Select(m => m.State));
        Assert.Equal("broken on purpose", modules[0].Detail);
        var error = await Assert.ThrowsAsync<ModuleUnavailableException>(() => Beehive.SendAsync(Address.Module("broken"), Messages.About("x"), Cancellation).AsTask());
        Assert.Contains("failed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disabled_module_is_not_made_and_one_that_is_not_built_is_listed()
    {
        await StartAsync(
            silo => silo.AddModule<First>("first", Groups.Twin).AddAbsentModule("edgeMesh", Groups.Mesh).AddModule<Second>("second", Groups.Bus, enabledByDefault: false),
            ("modules:first:enable", "false"),
            ("modules:second:enable", "true"));

        var modules = await Node().GetModulesAsync();

        Assert.Equal([("first", ModuleState.Disabled), ("edgeMesh", ModuleState.NotBuilt), ("second", ModuleState.Running)], modules.Select(m => (m.Name, m.State)));
        Assert.Equal(["second started"], _journal.Lines);
    }

    [Fact]
    public async Task A_module_handles_its_messages_one_after_the_other_and_answers_questions_that_it_fails_on()
    {
        await StartAsync(silo => silo.AddModule<First>("first", Groups.Twin));

        var failed = await AskAsync("fail");
        var refused = await AskAsync("refuse");
        var well = await AskAsync("well");

        Assert.Equal((500, 409, 0), (failed.Code, refused.Code, well.Code));
        Assert.Equal("not now", refused.ContentAsText());
    }

    [Fact]
    public async Task What_is_queued_when_the_node_stops_is_still_handled()
    {
        await StartAsync(silo => silo.AddModule<First>("first", Groups.Twin));
        for (var i = 0; i < 50; i++)
        {
            await Beehive.SendAsync(Address.Module("first"), Messages.Numbered(i), Cancellation);
        }

        await StopAsync();

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"first handled number/{i}"), _journal.Lines.Where(line => line.Contains("handled", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_node_says_who_it_is_and_where_it_listens()
    {
        await StartAsync(silo => silo.AddModule<First>("first", Groups.Twin));
        Services.GetRequiredService<Doors>().Open("mqtt", "tcp://127.0.0.1:1883");

        var info = await Node().GetInfoAsync();

        Assert.Equal("tcp://127.0.0.1:1883", info.Doors["mqtt"]);
        Assert.NotEmpty(info.Name);
        Assert.StartsWith("0.", info.Version, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_module_in_an_assembly_of_the_users_own_is_a_module_like_any_other()
    {
        await StartAsync(silo => silo.AddUserModules(), ("modules:user:assemblies:0", UsersAssembly));

        var answer = await Beehive.SendSyncAsync(Address.Module("counting"), Messages.About("how many"), Limit.Time, Cancellation);

        Assert.Equal("1", answer.ContentAsText());
        Assert.Equal(("counting", Groups.User, ModuleState.Running), Assert.Single((await Node().GetModulesAsync()).Select(m => (m.Name, m.Group, m.State))));
    }

    [Fact]
    public void A_missing_assembly_of_the_user_stops_the_start_and_is_named()
    {
        var error = Assert.Throws<UserModuleException>(() => UserModules.Load(Settings(("modules:user:assemblies:0", "no/such/module.dll"))));

        Assert.Contains(Path.GetFullPath("no/such/module.dll"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_assembly_of_the_program_itself_stops_the_start_and_is_named()
    {
        var path = typeof(IModule).Assembly.Location;

        var error = Assert.Throws<UserModuleException>(() => UserModules.Load(Settings(("modules:user:assemblies:0", path))));

        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_assembly_stops_the_start_and_is_named()
    {
        var path = Path.GetTempFileName();
        try
        {
            var error = Assert.Throws<UserModuleException>(() => UserModules.Load(Settings(("modules:user:assemblies:0", path))));

            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    private async Task StartAsync(Func<ISiloBuilder, ISiloBuilder> modules, params (string Key, string? Value)[] settings)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSiloHost((_, host) => host.Configuration.AddConfiguration(Settings(settings)));
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(_journal);
            silo.Services.AddSingleton(new EntityProbes());
            modules(silo.AddBeehive().AddNode());
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        await Services.GetRequiredService<ModuleHost>().Started.WaitAsync(Limit.Time);
    }

    private Task StopAsync() => Services.GetRequiredService<ModuleHost>().StopAsync(Cancellation);

    private INodeGrain Node() => Services.GetRequiredService<IGrainFactory>().GetGrain<INodeGrain>(INodeGrain.Key);

    private Task<Message> AskAsync(string resource) => Beehive.SendSyncAsync(Address.Module("first"), Messages.About(resource), Limit.Time, Cancellation);

    private static IConfiguration Settings(params (string Key, string? Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value))).Build();

    private sealed class Journal
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IEnumerable<string> Lines => _lines;

        public void Add(string line) => _lines.Enqueue(line);
    }

    private sealed class First(Journal journal, IMessageContext beehive, ILogger<First> logger) : ReceivingModule(beehive, TimeProvider.System, logger)
    {
        public override string Name => "first";

        public override string Group => Groups.Twin;

        public override Task StartAsync(CancellationToken cancellation)
        {
            journal.Add("first started");
            return base.StartAsync(cancellation);
        }

        public override Task StopAsync(CancellationToken cancellation)
        {
            journal.Add("first stopped");
            return Task.CompletedTask;
        }

        protected override async Task HandleAsync(Message message, CancellationToken cancellation)
        {
            journal.Add($"first handled {message.Route.Resource}");
            switch (message.Route.Resource)
            {
                case "fail":
                    throw new InvalidOperationException("broken on purpose");
                case "refuse":
                    throw new RefusedException(409, "not now");
                default:
                    if (message.Header.Sync)
                    {
                        await Beehive.SendRespAsync(message.Answer(), cancellation);
                    }

                    break;
            }
        }
    }

    private sealed class Second(Journal journal) : IModule
    {
        public string Name => "second";

        public string Group => Groups.Bus;

        public Task StartAsync(CancellationToken cancellation)
        {
            journal.Add("second started");
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellation)
        {
            journal.Add("second stopped");
            return Task.CompletedTask;
        }
    }

    private sealed class Broken : IModule
    {
        public string Name => "broken";

        public string Group => Groups.Twin;

        public Task StartAsync(CancellationToken cancellation) => throw new InvalidOperationException("broken on purpose");

        public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
    }
}
