using System.Collections.Immutable;
using System.Text;
using EdgeOrleans.Beehive;
using EdgeOrleans.Conformance.Golden;
using EdgeOrleans.DbManager;
using EdgeOrleans.Devices;
using EdgeOrleans.Modules;
using EdgeOrleans.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Conformance.Running;

/// <summary>A node on which cases are played one after another, each with a device of its own.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private const int MaxDevices = 1000;
    private readonly EdgeNode _node;
    private readonly MqttEar _mqtt;
    private readonly HubProbe _hub;
    private readonly TimeProvider _time = TimeProvider.System;
    private int _questions;

    private Stage(EdgeNode node, MqttEar mqtt) => (_node, _mqtt, _hub) = (node, mqtt, node.Services.GetRequiredService<HubProbe>());

    /// <summary>The node's name.</summary>
    public string NodeName => _node.Name;

    public static async Task<Stage> OpenAsync(EdgeNode node) => new(node, await MqttEar.ConnectAsync(node.MqttPort));

    /// <summary>Plays a case with a device of its own, says what was not as promised, and takes the devices away again.</summary>
    public async Task<IReadOnlyList<string>> PlayAndClearAsync(GoldenCase promised, bool overMqtt5 = false, bool withoutNamespace = false)
    {
        var device = promised.DeviceOfItsOwn;
        var own = promised.For(device, NodeName);
        try
        {
            return await PlayAsync(withoutNamespace ? own.WithoutNamespace() : own, device, overMqtt5);
        }
        finally
        {
            await ClearAsync();
            await UnsubscribeAsync(await SubscriptionsAsync());
        }
    }

    /// <summary>Plays a case and says what was not as promised. Its devices stay.</summary>
    public async Task<IReadOnlyList<string>> PlayAsync(GoldenCase promised, string deviceName, bool overMqtt5 = false)
    {
        _mqtt.SpeaksVersion5 = overMqtt5;
        var started = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var devices = DevicesOf(promised, deviceName);
        await PrepareAsync(promised, deviceName, devices);
        foreach (var step in promised.In.SkipLast(1))
        {
            await DoAsync(step);
            await SettleAsync(devices);
        }

        await ForgetAsync();
        var refused = Refused();
        await DoAsync(promised.In[^1]);
        await SettleAsync(devices);

        var play = new Play(
            HeardAfter(promised.In[^1]),
            await _hub.TakeAsync(promised.Hub.Count),
            await DevicesAsync(),
            await SubscriptionsAsync(),
            Refused() - refused,
            new JsonMeaning(started, _time.GetUtcNow()));
        return [.. Comparison.Problems(promised, play)];
    }

    /// <summary>What differs from a case's state now, without playing anything.</summary>
    public async Task<IReadOnlyList<string>> StateProblemsAsync(GoldenCase promised, DateTimeOffset since)
    {
        var meaning = new JsonMeaning(since, _time.GetUtcNow());
        var devices = await DevicesAsync();
        return [.. promised.State.SelectMany(d => Comparison.DeviceProblems(d.Key, d.Value, devices.GetValueOrDefault(d.Key), meaning))];
    }

    public ValueTask DisposeAsync() => _mqtt.DisposeAsync();

    private async Task ClearAsync()
    {
        var ids = (await DevicesAsync()).Keys;
        if (ids.Any())
        {
            await DoAsync(Fixtures.Removal(ids));
            await SettleAsync([]);
        }

        await ForgetAsync();
    }

    private async Task UnsubscribeAsync(IReadOnlyList<string> topics)
    {
        foreach (var topic in topics)
        {
            var message = Message.Create("router_eventbus", Groups.User, Operations.Unsubscribe, topic, default, _time.GetUtcNow().ToUnixTimeMilliseconds());
            await _node.Beehive.SendSyncAsync(Address.Module(ModuleNames.EventBus), message);
        }
    }

    private async Task<IReadOnlyList<string>> SubscriptionsAsync() =>
        await _node.Services.GetRequiredService<Database>().ReadAsync(db => db.Query("SELECT topic FROM sub_topics ORDER BY topic", row => row.GetString(0)));

    private static ImmutableArray<string> DevicesOf(GoldenCase promised, string deviceName)
    {
        var asked = promised.In.Select(i => i.Mqtt?.Split('/') switch
        {
            ["$hw", "events", "device", var ns, var name, _, _] => $"{ns}/{name}",
            ["$hw", "events", "device", var name, _, _] => $"{DeviceId.DefaultNamespace}/{name}",
            _ => null,
        }).OfType<string>();
        return [.. asked.Append($"{DeviceId.DefaultNamespace}/{deviceName}").Distinct()];
    }

    private async Task PrepareAsync(GoldenCase promised, string deviceName, ImmutableArray<string> devices)
    {
        await DoAsync(Fixtures.Link(up: false));
        if (promised.CloudUp)
        {
            await DoAsync(Fixtures.Link(up: true));
        }

        foreach (var step in Fixtures.Steps(promised.Fixture, deviceName))
        {
            await DoAsync(step);
            await SettleAsync(devices);
        }

        await SettleAsync(devices);
    }

    private async Task DoAsync(GoldenInput step)
    {
        if (step.Mqtt is { } topic)
        {
            await _mqtt.SayAsync(topic, step.Payload!);
            return;
        }

        var content = Encoding.UTF8.GetBytes(step.Content!.Value.GetRawText());
        var group = step.Bus == "twin" ? Groups.Twin : Groups.User;
        var message = Message.Create(step.Source, group, step.Operation, step.Resource, content, _time.GetUtcNow().ToUnixTimeMilliseconds());
        if (step.IsOfTheBus)
        {
            // It is answered when it is done: later questions of clients do not wait for the bus.
            await _node.Beehive.SendSyncAsync(Address.Module(step.Bus!), message);
        }
        else
        {
            await _node.Beehive.SendAsync(Address.Module(step.Bus!), message);
        }
    }

    /// <summary>Later questions of the same client, to the membership and to each device: once they are answered, so is all that came before.</summary>
    private async Task SettleAsync(ImmutableArray<string> devices)
    {
        await AskAsync($"$hw/events/node/{NodeName}/membership/get");
        foreach (var device in devices)
        {
            await AskAsync($"$hw/events/device/{device}/twin/get");
        }
    }

    private Task AskAsync(string topic)
    {
        var question = $"{Comparison.Question}{++_questions}\"";
        return _mqtt.AskAsync(topic, $"{{{question}}}", question);
    }

    private async Task ForgetAsync()
    {
        _mqtt.Take();
        await _hub.TakeAsync(0);
    }

    /// <summary>All that was heard apart from what was said.</summary>
    private List<Heard> HeardAfter(GoldenInput said)
    {
        var heard = _mqtt.Take().Where(h => !h.Payload.Contains(Comparison.Question, StringComparison.Ordinal)).ToList();
        heard.Remove(new Heard(said.Mqtt ?? "", said.Payload ?? ""));
        return heard;
    }

    private long Refused() => _node.Services.GetRequiredService<Refusals>().Snapshot().Values.Sum();

    private async Task<ImmutableSortedDictionary<string, DeviceView>> DevicesAsync()
    {
        var page = await _node.Grains.GetGrain<IMembershipGrain>(IMembershipGrain.Key).ListDevicesAsync(null, MaxDevices);
        var views = ImmutableSortedDictionary.CreateBuilder<string, DeviceView>(StringComparer.Ordinal);
        foreach (var device in page.Devices)
        {
            views[device.Id] = await _node.Grains.GetGrain<IDeviceTwinGrain>(device.Id).GetAsync()
                ?? throw new InvalidOperationException($"{device.Id} is a member without a twin");
        }

        return views.ToImmutable();
    }
}

/// <summary>What happened after the last input of a case.</summary>
/// <param name="Heard">What clients heard, in its order.</param>
/// <param name="Up">What went up.</param>
/// <param name="Devices">All devices afterwards.</param>
/// <param name="Subscriptions">The topics that the cloud manages.</param>
/// <param name="Refusals">How many more refusals were counted.</param>
/// <param name="Meaning">How values compare.</param>
internal sealed record Play(
    IReadOnlyList<Heard> Heard,
    IReadOnlyList<Message> Up,
    ImmutableSortedDictionary<string, DeviceView> Devices,
    IReadOnlyList<string> Subscriptions,
    long Refusals,
    JsonMeaning Meaning);
