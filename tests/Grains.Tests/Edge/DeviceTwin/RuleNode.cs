using System.Text.Json.Nodes;
using System.Text;
using EdgeOrleans.Beehive;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>A node that is nothing but the rules: devices in memory, a clock that stands still until it is moved.</summary>
internal sealed class RuleNode(DeviceTwinOptions? options = null)
{
    private const string Node = "edge-node";
    private readonly SortedDictionary<string, TwinRecord> _devices = new(StringComparer.Ordinal);
    private readonly TwinWriter _writer = new();

    public long Now { get; set; } = 1_795_422_800_000;

    public bool Registers { get; set; }

    public bool ResultOnly { get; set; }

    public ModelRules? Model { get; set; }

    public List<(string Topic, string Payload)> Published { get; } = [];

    public List<(string Resource, string Payload)> Up { get; } = [];

    public int Code { get; private set; }

    public TwinRecord this[string device]
    {
        get => _devices.GetValueOrDefault(device) ?? new TwinRecord();
        set => _devices[device] = value;
    }

    public TwinRecord Device => this["default/ts1"];

    /// <summary>A node with the device of the cases.</summary>
    public static RuleNode WithDevice(DeviceTwinOptions? options = null)
    {
        var node = new RuleNode(options ?? new DeviceTwinOptions { Compatibility = TwinCompatibility.Strict });
        node["default/ts1"] = TwinRecord.Of("default/ts1") with { Description = "d1" };
        return node;
    }

    public RuleNode Update(string json)
    {
        Publish("$hw/events/device/default/ts1/twin/update", Encoding.UTF8.GetBytes(json));
        return this;
    }

    public void Publish(string topic, byte[] payload)
    {
        Forget();
        var levels = topic.Replace("$hw/events/", "", StringComparison.Ordinal).Split('/');
        if (levels[0] == "node")
        {
            var rows = _devices.Where(d => d.Value.Exists).Select(d => new MemberRow(d.Key, d.Value.Name, d.Value.Description, d.Value.State, d.Value.LastOnline, ""));
            var list = MembershipRules.List(payload, rows, Terms("", "bus"));
            Published.Add(($"$hw/events/{list.Resource}", Encoding.UTF8.GetString(list.Content.Span)));
            return;
        }

        var device = $"{levels[1]}/{levels[2]}";
        var verb = string.Join('/', levels[3..]);
        var terms = Terms(device, "bus");
        Adopt(device, verb switch
        {
            "twin/get" => TwinRules.Get(this[device], payload, terms),
            "twin/update" => TwinRules.Update(this[device], payload, terms),
            "state/update" => StateRules.Update(this[device], payload, terms),
            "twin/cloud_updated" => terms.IsStrict ? TwinRules.CloudUpdate(this[device], payload, terms) : TwinRules.Repeat(this[device], payload, terms),
            _ => throw new ArgumentException(topic),
        });
    }

    public void CloudUpdate(string json)
    {
        Forget();
        Adopt("default/ts1", TwinRules.CloudUpdate(Device, Encoding.UTF8.GetBytes(json), Terms("default/ts1", "edgemgr")));
    }

    public void Attributes(string json)
    {
        Forget();
        Adopt("default/ts1", AttributeRules.Update(Device, Encoding.UTF8.GetBytes(json), Terms("default/ts1", "edgemgr")));
    }

    public void Membership(string json)
    {
        Forget();
        var request = TwinReader.ReadMembership(Encoding.UTF8.GetBytes(json));
        foreach (var added in request.Added)
        {
            var member = TwinReader.ReadMember(added.Span);
            Adopt(member.Id, MembershipRules.Join(this[member.Id], member, Terms(member.Id, "devicecontroller")));
        }

        foreach (var removed in request.Removed)
        {
            var member = TwinReader.ReadMember(removed.Span);
            if (this[member.Id].Exists)
            {
                var gone = MembershipWriter.Notification(member, isAdded: false, Terms(member.Id, "devicecontroller"));
                Adopt(member.Id, new TwinChange(new TwinRecord()) { Publications = [gone] });
            }
        }
    }

    public JsonNode Payload(string end) => JsonNode.Parse(Published.Single(p => p.Topic.EndsWith(end, StringComparison.Ordinal)).Payload)!;

    private void Forget()
    {
        Published.Clear();
        Up.Clear();
        Now++;
    }

    private void Adopt(string device, TwinChange change)
    {
        this[device] = change.Record;
        Code = change.Code;
        Published.AddRange(change.Publications.Select(p => ($"$hw/events/{p.Resource}", Encoding.UTF8.GetString(p.Content.Span))));
        var twin = change.Reports.Where(r => r.Property is not null).ToArray();
        if (twin.Length > 0)
        {
            var entries = string.Join(',', twin.Select(r => $"{Encoding.UTF8.GetString(Message.Text(r.Property!).Span)}:{Encoding.UTF8.GetString(r.Content.Span)}"));
            Up.Add(($"device/{device}/twin/edge_updated", $"{{\"event_id\":\"{Guid.NewGuid()}\",\"timestamp\":{Now},\"twin\":{{{entries}}}}}"));
        }

        Up.AddRange(change.Reports.Where(r => r.Property is null).Select(r => ($"device/{device}/state/update", Encoding.UTF8.GetString(r.Content.Span))));
    }

    private TwinTerms Terms(string device, string source) => new()
    {
        Device = device,
        Now = Now,
        Options = options ?? new DeviceTwinOptions(),
        NewId = Guid.NewGuid,
        Writer = _writer,
        Node = Node,
        Source = source,
        Model = Model,
        Registers = Registers,
        ResultOnly = ResultOnly,
    };
}
