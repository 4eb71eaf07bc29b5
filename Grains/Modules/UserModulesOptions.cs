namespace EdgeOrleans.Modules;

/// <summary>The user's own modules. Section: <c>modules.user</c>.</summary>
public sealed class UserModulesOptions
{
    /// <summary>Paths of the assemblies that hold them; each public class that is a module joins the group it names. Default: none.</summary>
    public IReadOnlyList<string> Assemblies { get; set; } = [];
}
