namespace EdgeOrleans.Modules;

/// <summary>A module of the role, in the order of registration, which is the order of start.</summary>
/// <param name="Name">Its name; null when only the module itself knows it (a user's).</param>
/// <param name="Group">Its group; empty for none.</param>
/// <param name="EnabledByDefault">Whether it runs when the settings say nothing.</param>
/// <param name="Create">Makes it; null for a module of the design that is not built yet.</param>
/// <param name="WhyNot">Why this process does not need it, though it is enabled; null when it does.</param>
internal sealed record ModuleRegistration(
    string? Name, string Group, bool EnabledByDefault, Func<IServiceProvider, IModule>? Create, Func<IServiceProvider, string?>? WhyNot = null);
