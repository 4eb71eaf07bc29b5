using System.Reflection;
using System.Text.RegularExpressions;
using EdgeOrleans.Beehive;
using EdgeOrleans.DbManager;
using EdgeOrleans.TestKit;

namespace EdgeOrleans;

/// <summary>The walls of the house.</summary>
public sealed partial class HouseTests
{
    private static readonly Assembly Contracts = typeof(Message).Assembly;
    private static readonly Assembly Grains = typeof(Database).Assembly;

    // A room, and what its files may name of our own beside the contracts and itself.
    private static readonly Dictionary<string, string[]> Rooms = new(StringComparer.Ordinal)
    {
        ["Settings"] = [],
        ["Modules"] = ["Settings", "Beehive"],
        ["Beehive"] = ["Modules", "Settings"],
        ["DbManager"] = ["Modules", "Settings"],
        ["Link"] = ["DbManager", "Beehive", "Modules", "Settings"],
        ["Link/Wire"] = [],
        ["Nodes"] = ["Modules", "Settings"],
        ["Devices"] = [],
        ["Cloud"] = [],
        ["Cloud/CloudHub"] = ["Beehive", "Cloud", "DbManager", "Link", "Link.Wire", "Modules", "Settings"],
        ["Cloud/Registry"] = ["Cloud", "DbManager", "Modules"],
        ["Cloud/DeviceController"] = ["Cloud", "Cloud.Registry", "DbManager", "Link", "Modules"],
        ["Cloud/EdgeController"] = ["Cloud", "Cloud.Registry", "DbManager", "Modules"],
        ["Edge/EdgeHub"] = ["Beehive", "DbManager", "Link", "Link.Wire", "Modules", "Settings"],
        ["Edge/DeviceTwin"] = ["Beehive", "DbManager", "Link", "Modules", "Settings", "Edge.EdgeHub"],
        ["Edge/EventBus"] = ["Beehive", "DbManager", "Edge.EventBus.Access", "Link", "Link.Wire", "Modules", "Settings"],
        ["Edge/EventBus/Access"] = ["Modules", "Settings"],
    };

    [Fact]
    public void Every_room_of_the_grains_has_its_walls()
    {
        var folders = Files("Grains").Select(f => Path.GetRelativePath(Folder("Grains"), Path.GetDirectoryName(f)!).Replace('\\', '/'));

        Assert.Equal(Rooms.Keys.Order(StringComparer.Ordinal), folders.Where(f => f != ".").Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_room_names_only_the_rooms_it_stands_on()
    {
        var broken =
            from room in Rooms
            from file in Files("Grains", room.Key).Where(f => Path.GetDirectoryName(f) == Folder(["Grains", .. room.Key.Split('/')]))
            from name in OwnNamespaces(file)
            where name != room.Key.Replace('/', '.') && !room.Value.Contains(name) && !IsContract(name)
            select $"{Path.GetFileName(file)} of {room.Key} names {name}";

        Assert.Empty(broken);
    }

    [Fact]
    public void A_wing_never_names_the_other()
    {
        var broken = Files("Grains").Where(f => f.Contains("/Edge/", StringComparison.Ordinal)).Where(f => OwnNamespaces(f).Any(n => n.StartsWith("Cloud", StringComparison.Ordinal)))
            .Concat(Files("Grains").Where(f => f.Contains("/Cloud/", StringComparison.Ordinal)).Where(f => OwnNamespaces(f).Any(n => n.StartsWith("Edge.", StringComparison.Ordinal))));

        Assert.Empty(broken);
    }

    [Fact]
    public void The_contracts_stand_on_nothing_of_ours_and_do_no_input_or_output()
    {
        var references = Contracts.GetReferencedAssemblies().Select(a => a.Name!);

        Assert.DoesNotContain(references, r => r.StartsWith("EdgeOrleans", StringComparison.Ordinal) || r.StartsWith("Microsoft.Data", StringComparison.Ordinal)
            || r.StartsWith("MQTTnet", StringComparison.Ordinal) || r is "System.Net.Sockets" or "System.Net.Http");
    }

    [Fact]
    public void The_console_knows_the_contracts_alone() =>
        Assert.DoesNotContain(typeof(Client.EdgeCtl).Assembly.GetReferencedAssemblies(), a => a.Name is "EdgeOrleans.Grains" or "edgeorleans");

    [Fact]
    public void Every_grain_names_its_type_with_its_wing()
    {
        var broken =
            from type in Grains.GetTypes()
            where type is { IsAbstract: false, IsClass: true } && typeof(Grain).IsAssignableFrom(type)
            let name = type.GetCustomAttribute<GrainTypeAttribute>()?.GetGrainType(null!, type).ToString()
            where name is null || !name.StartsWith(WingOf(type), StringComparison.Ordinal)
            select $"{type.Name}: {name ?? "no GrainType"}";

        Assert.Empty(broken);
    }

    [Fact]
    public void Everything_that_travels_has_an_alias_of_its_own()
    {
        var travellers = Contracts.GetTypes().Concat(Grains.GetTypes())
            .Where(t => t.GetCustomAttribute<GenerateSerializerAttribute>() is not null && !t.FullName!.StartsWith("OrleansCodeGen", StringComparison.Ordinal))
            .Select(t => (Type: t, t.GetCustomAttribute<AliasAttribute>()?.Alias))
            .ToList();

        Assert.NotEmpty(travellers);
        Assert.DoesNotContain(travellers, t => t.Alias is null);
        Assert.Equal(travellers.Count, travellers.Select(t => t.Alias).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_grain_interface_has_an_alias()
    {
        var broken = Contracts.GetTypes().Concat(Grains.GetTypes())
            .Where(t => t.IsInterface && typeof(IAddressable).IsAssignableFrom(t) && t.Namespace!.StartsWith("EdgeOrleans", StringComparison.Ordinal))
            .Where(t => t.GetCustomAttribute<AliasAttribute>() is null);

        Assert.Empty(broken);
    }

    [Fact]
    public void Nothing_is_changed_for_everybody()
    {
        var broken =
            from type in Contracts.GetTypes().Concat(Grains.GetTypes())
            where type.Namespace?.StartsWith("EdgeOrleans", StringComparison.Ordinal) == true
            from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where !field.IsInitOnly && !field.IsLiteral && !field.Name.StartsWith('<') && !type.Name.Contains('<', StringComparison.Ordinal)
            select $"{type.Name}.{field.Name}";

        Assert.Empty(broken);
    }

    private static string WingOf(Type type) => type.Namespace switch
    {
        { } ns when ns.StartsWith("EdgeOrleans.Edge", StringComparison.Ordinal) => "edge.",
        { } ns when ns.StartsWith("EdgeOrleans.Cloud", StringComparison.Ordinal) => "cloud.",
        { } ns => ns["EdgeOrleans.".Length..].ToLowerInvariant() + ".",
        null => throw new InvalidOperationException($"{type} has no namespace"),
    };

    // A namespace that only Grains.Interfaces has, or one that both have: the contracts are open to every room.
    private static bool IsContract(string name) => Contracts.GetTypes().Any(t => t.Namespace == "EdgeOrleans." + name);

    private static IEnumerable<string> OwnNamespaces(string file) => OwnUsing().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value);

    private static IEnumerable<string> Files(params string[] folder) =>
        Directory.EnumerateFiles(Folder(folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    private static string Folder(params string[] folder) => Path.Combine([Repository.Root, .. folder]);

    [GeneratedRegex(@"^(?:using|namespace) EdgeOrleans\.([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex OwnUsing();
}
