namespace EdgeOrleans.TestKit;

/// <summary>What devices say, in KubeEdge's words. Names and values are those of tests: nothing in them needs escaping.</summary>
public static class TwinJson
{
    /// <summary>A report of actual values of type string.</summary>
    public static string Report(string eventId, params (string Name, string Value)[] properties) => Report(eventId, "string", properties);

    /// <summary>A report of actual values of a type.</summary>
    public static string Report(string eventId, string type, params (string Name, string Value)[] properties)
    {
        var twin = string.Join(',', properties.Select(p => $"\"{p.Name}\":{{\"actual\":{{\"value\":\"{p.Value}\"}},\"metadata\":{{\"type\":\"{type}\"}}}}"));
        return $"{{\"event_id\":\"{eventId}\",\"timestamp\":0,\"twin\":{{{twin}}}}}";
    }
}
