namespace EdgeOrleans.EndToEnd;

/// <summary>What <c>edgectl get modules -o json</c> prints.</summary>
internal static class ModuleTable
{
    public static string? State(JsonArray modules, string name) => (string?)modules.Single(module => (string?)module!["name"] == name)!["state"];
}
