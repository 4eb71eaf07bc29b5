using System.Text.Json.Serialization;
using EdgeOrleans.Link;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using Orleans.TestingHost;

namespace EdgeOrleans.DbManager;

public sealed class GrainStateStorageTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
    private readonly Logged<GrainStateStorage> _log = new();
    private InProcessTestCluster? _cluster;

    public async ValueTask InitializeAsync() => await StartAsync();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_a_grain_stored_is_there_after_a_start()
    {
        await Grain("a").SayAsync("hello");
        await RestartAsync();
        Assert.Equal("hello", await Grain("a").GetAsync());
    }

    [Fact]
    public async Task What_a_grain_writes_while_the_silo_stops_is_kept()
    {
        await Grain("a").SayWhenLeavingAsync("goodbye");
        await RestartAsync();
        Assert.Equal("goodbye", await Grain("a").GetAsync());
    }

    [Fact]
    public async Task Rows_that_belong_to_a_state_are_there_with_it()
    {
        await Grain("a").SayAsync("hello");

        Assert.Equal("hello", Assert.Single(await Service<Outbox>().ReadAsync(0)).Entry.Resource);
    }

    [Fact]
    public async Task A_state_whose_other_rows_fail_is_not_stored_and_the_grain_goes_on_with_what_is()
    {
        await Grain("a").SayAsync("hello");

        await Assert.ThrowsAnyAsync<Exception>(() => Grain("a").SayAsync(Said.Poison));

        await RestartAsync();
        Assert.Equal("hello", await Grain("a").GetAsync());
        Assert.Single(await Service<Outbox>().ReadAsync(0));
        await Grain("a").SayAsync("again");
    }

    [Fact]
    public async Task A_damaged_row_is_set_aside_alone_and_said()
    {
        await Grain("a").SayAsync("hello");
        await Grain("b").SayAsync("world");
        await RestartAsync();
        await Service<Database>().RunAsync(db => db.Execute("UPDATE grain_state SET payload=x'7b7d' WHERE id LIKE '%/a'"));

        Assert.Equal("", await Grain("a").GetAsync());
        Assert.Equal("world", await Grain("b").GetAsync());

        Assert.Contains(_log.Lines, l => l.Level == LogLevel.Error && l.Text.Contains("damaged", StringComparison.Ordinal));
        Assert.Equal("grain_state/said", Assert.Single(await Service<Database>().ReadAsync(db => db.Query("SELECT origin FROM damaged_row", r => r.GetString(0)))));
        await Grain("a").SayAsync("anew");
        Assert.Equal("anew", await Grain("a").GetAsync());
    }

    [Fact]
    public async Task Grains_of_two_types_with_one_key_do_not_meet()
    {
        var storage = Service<IGrainStorage>();
        await storage.WriteStateAsync("said", Orleans.Runtime.GrainId.Create("one", "k"), new GrainState<Said> { State = new Said { Word = "one" } });
        var other = new GrainState<Said>();
        await storage.ReadStateAsync("said", Orleans.Runtime.GrainId.Create("two", "k"), other);
        Assert.False(other.RecordExists);
    }

    [Fact]
    public async Task A_state_that_no_context_knows_is_said_so()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => Service<IGrainStorage>()
            .WriteStateAsync("x", Orleans.Runtime.GrainId.Create("one", "k"), new GrainState<Version> { State = new Version(1, 0) }));
        Assert.Contains("AddGrainStateJson", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_storage_is_the_default_too() =>
        Assert.Same(Service<IGrainStorage>(), _cluster!.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>("Default"));

    private ISaidGrain Grain(string key) => _cluster!.Client.GetGrain<ISaidGrain>(key);

    private T Service<T>()
        where T : notnull => _cluster!.Silos[0].ServiceProvider.GetRequiredService<T>();

    private async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddDatabase();
            silo.AddOutbox();
            silo.Services.AddGrainStateJson(SaidJson.Default);
            silo.Services.AddSingleton<ILogger<GrainStateStorage>>(_log);
            silo.Services.PostConfigure<DbManagerOptions>(o => o.DataFolder = _folder);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    private async Task StopAsync()
    {
        await _cluster!.StopAllSilosAsync();
        await _cluster.DisposeAsync();
    }
}

[Alias("test.said-grain")]
public interface ISaidGrain : IGrainWithStringKey
{
    [Alias("get")]
    Task<string> GetAsync();

    [Alias("say")]
    Task SayAsync(string word);

    [Alias("say-when-leaving")]
    Task SayWhenLeavingAsync(string word);
}

[GrainType("test.said")]
internal sealed class SaidGrain([PersistentState("said", DbManagerModule.State)] IPersistentState<Said> said, Outbox outbox) : Grain, ISaidGrain
{
    private string? _last;

    public Task<string> GetAsync() => Task.FromResult(said.State.Word);

    public Task SayAsync(string word)
    {
        said.State = new Said { Word = word, Outbox = outbox };
        return said.WriteStateAsync();
    }

    public Task SayWhenLeavingAsync(string word)
    {
        _last = word;
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        _last is null ? Task.CompletedTask : SayAsync(_last);
}

internal sealed record Said : IWritesAlongside
{
    public const string Poison = "poison";

    public string Word { get; init; } = "";

    [JsonIgnore]
    public Outbox? Outbox { get; init; }

    public void WriteAlongside(DbSession db)
    {
        Outbox?.Append(db, new OutboxEntry
        {
            Class = OutboxClasses.Telemetry, Source = "test", Group = "user", Operation = "upload", Resource = Word, Content = "1"u8.ToArray(), Created = 1,
        });
        if (Word == Poison)
        {
            throw new InvalidOperationException("poison");
        }
    }
}

[JsonSerializable(typeof(Said))]
internal sealed partial class SaidJson : JsonSerializerContext;
