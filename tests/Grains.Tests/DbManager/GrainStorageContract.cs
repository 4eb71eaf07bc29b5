using System.Collections.Immutable;
using System.Text.Json.Serialization;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.TestingHost;

namespace EdgeOrleans.DbManager;

/// <summary>What every grain storage promises, run against each that serves.</summary>
public abstract class GrainStorageContract : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
    private InProcessTestCluster _cluster = null!;

    protected IGrainStorage Storage => _cluster.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>(DbManagerModule.State);

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => AddStorage(silo, _folder));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void AddStorage(ISiloBuilder silo, string folder);

    [Fact]
    public async Task What_was_never_written_is_empty_and_not_there()
    {
        var state = await ReadAsync("nobody");
        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Equal("", state.State.Name);
    }

    [Fact]
    public async Task What_was_written_is_read_back_by_a_fresh_grain()
    {
        var written = new Slot { State = Wide() };
        await WriteAsync("a", written);
        Assert.True(written.RecordExists);

        var read = await ReadAsync("a");

        Assert.True(read.RecordExists);
        Assert.Equal(written.ETag, read.ETag);
        Assert.Equal(written.State.Name, read.State.Name);
        Assert.Equal(written.State.At, read.State.At);
        Assert.Equal(written.State.Flag, read.State.Flag);
        Assert.Equal(written.State.Parts, read.State.Parts);
        Assert.Equal(written.State.Numbers, read.State.Numbers);
    }

    [Fact]
    public async Task Every_write_has_a_new_etag_and_the_last_one_counts()
    {
        var state = new Slot { State = new Stored() };
        var etags = new HashSet<string?>();
        for (var i = 0; i < 5; i++)
        {
            state.State = new Stored { Name = $"{i}" };
            await WriteAsync("again", state);
            Assert.True(etags.Add(state.ETag));
        }

        Assert.Equal("4", (await ReadAsync("again")).State.Name);
    }

    [Fact]
    public async Task Who_has_an_old_etag_is_refused_and_changes_nothing()
    {
        var first = new Slot { State = new Stored { Name = "first" } };
        await WriteAsync("b", first);
        var second = await ReadAsync("b");
        second.State = new Stored { Name = "second" };
        await WriteAsync("b", second);

        first.State = new Stored { Name = "late" };
        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync("b", first));

        Assert.Equal("second", (await ReadAsync("b")).State.Name);
    }

    [Fact]
    public async Task Who_believes_that_nothing_is_there_can_not_overwrite_what_is()
    {
        await WriteAsync("c", new Slot { State = new Stored { Name = "there" } });

        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync("c", new Slot { State = new Stored { Name = "new" } }));

        Assert.Equal("there", (await ReadAsync("c")).State.Name);
    }

    [Fact]
    public async Task What_was_cleared_is_empty_and_can_be_written_again()
    {
        var state = new Slot { State = Wide() };
        await WriteAsync("d", state);

        await Storage.ClearStateAsync("contract", Id("d"), state);

        Assert.False(state.RecordExists);
        var read = await ReadAsync("d");
        Assert.False(read.RecordExists);
        Assert.Equal("", read.State.Name);
        read.State = new Stored { Name = "again" };
        await WriteAsync("d", read);
        Assert.Equal("again", (await ReadAsync("d")).State.Name);
    }

    [Fact]
    public async Task Who_has_an_old_etag_can_not_clear()
    {
        var first = new Slot { State = new Stored { Name = "first" } };
        await WriteAsync("e", first);
        var second = await ReadAsync("e");
        second.State = new Stored { Name = "second" };
        await WriteAsync("e", second);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.ClearStateAsync("contract", Id("e"), first));

        Assert.Equal("second", (await ReadAsync("e")).State.Name);
    }

    [Fact]
    public async Task A_state_as_large_as_a_thousand_properties_comes_back_whole()
    {
        var parts = Enumerable.Range(0, 1000).ToImmutableSortedDictionary(i => $"property-{i:0000}", i => new Part($"value {i} äöü ☃", i, null), StringComparer.Ordinal);
        await WriteAsync("f", new Slot { State = new Stored { Parts = parts } });
        Assert.Equal(parts, (await ReadAsync("f")).State.Parts);
    }

    [Fact]
    public async Task States_and_keys_do_not_meet()
    {
        await WriteAsync("g", new Slot { State = new Stored { Name = "g" } });
        await Storage.WriteStateAsync("other-state", Id("g"), new Slot { State = new Stored { Name = "other state" } });

        Assert.Equal("g", (await ReadAsync("g")).State.Name);
        Assert.False((await ReadAsync("g/h")).RecordExists);
        Assert.False((await ReadAsync("G")).RecordExists);
    }

    [Fact]
    public async Task Many_grains_that_write_at_once_all_find_their_own_again()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            var state = new Slot { State = new Stored() };
            for (var n = 0; n < 10; n++)
            {
                state.State = new Stored { Name = $"{i}:{n}" };
                await WriteAsync($"many/{i}", state);
            }
        }));

        for (var i = 0; i < 50; i++)
        {
            Assert.Equal($"{i}:9", (await ReadAsync($"many/{i}")).State.Name);
        }
    }

    private static Stored Wide() => new()
    {
        Name = "pump \"1\" ☃",
        At = new DateTimeOffset(2026, 2, 28, 23, 59, 59, 987, TimeSpan.FromHours(5.5)),
        Flag = true,
        Parts = ImmutableSortedDictionary<string, Part>.Empty.Add("b", new Part("2", 2, "int")).Add("a", new Part("1", 1, null)),
        Numbers = [3, 1, 2],
    };

    protected static GrainId Id(string key) => GrainId.Create("test.contract", key);

    protected async Task<Slot> ReadAsync(string key)
    {
        var state = new Slot { State = new Stored() };
        await Storage.ReadStateAsync("contract", Id(key), state);
        return state;
    }

    protected Task WriteAsync(string key, IGrainState<Stored> state) => Storage.WriteStateAsync("contract", Id(key), state);
}

/// <summary>What a grain holds of its storage.</summary>
public sealed class Slot : IGrainState<Stored>
{
    [System.Diagnostics.CodeAnalysis.AllowNull]
    public Stored State { get; set => field = value ?? new(); } = new();

    public string? ETag { get; set; }

    public bool RecordExists { get; set; }
}

/// <summary>A state of every shape that a grain stores.</summary>
[GenerateSerializer, Alias("test.stored")]
public sealed record Stored
{
    [Id(0)]
    public string Name { get; init; } = "";

    [Id(1)]
    public DateTimeOffset At { get; init; }

    [Id(2)]
    public bool Flag { get; init; }

    [Id(3)]
    public ImmutableSortedDictionary<string, Part> Parts { get; init; } = ImmutableSortedDictionary<string, Part>.Empty;

    [Id(4)]
    public ImmutableArray<int> Numbers { get; init; } = [];
}

[GenerateSerializer, Alias("test.part")]
public sealed record Part([property: Id(0)] string Value, [property: Id(1)] long Version, [property: Id(2)] string? Type);

[JsonSerializable(typeof(Stored))]
internal sealed partial class StoredJson : JsonSerializerContext;

public sealed class NodeStorageContract : GrainStorageContract
{
    protected override void AddStorage(ISiloBuilder silo, string folder)
    {
        silo.AddDatabase();
        silo.Services.AddGrainStateJson(StoredJson.Default);
        silo.Services.PostConfigure<DbManagerOptions>(o => o.DataFolder = folder);
    }
}

public sealed class AdoNetStorageContract : GrainStorageContract
{
    protected override void AddStorage(ISiloBuilder silo, string folder)
    {
        var connectionString = AdoNetSqlite.Create(Path.Combine(folder, "adonet.db"));
        silo.AddAdoNetGrainStorage(DbManagerModule.State, builder => builder.Configure<IServiceProvider>((options, services) =>
        {
            options.Invariant = AdoNetSqlite.Invariant;
            options.ConnectionString = connectionString;
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(services.GetRequiredService<Orleans.Serialization.Serializer>());
        }));
    }
}
