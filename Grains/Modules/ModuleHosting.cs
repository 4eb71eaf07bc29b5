using EdgeOrleans.Beehive;
using EdgeOrleans.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace EdgeOrleans.Modules;

public static class ModuleHosting
{
    /// <summary>Puts a module into the role, behind those that are there. The module is made when it is enabled: <c>modules.&lt;name&gt;.enable</c>.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="name">The module's name.</param>
    /// <param name="group">Its group; empty for none.</param>
    /// <param name="enabledByDefault">Whether it runs when the settings say nothing.</param>
    /// <param name="whyNot">Why this process does not need it, though it is enabled; it is then listed as disabled, without a warning.</param>
    public static ISiloBuilder AddModule<T>(
        this ISiloBuilder silo, string name, string group, bool enabledByDefault = true, Func<IServiceProvider, string?>? whyNot = null)
        where T : class, IModule
    {
        silo.Services.TryAddSingleton<T>();
        return silo.Add(new ModuleRegistration(name, group, enabledByDefault, static services => services.GetRequiredService<T>(), whyNot));
    }

    /// <summary>Lists a module of the design that is not built yet; enabling it warns.</summary>
    public static ISiloBuilder AddAbsentModule(this ISiloBuilder silo, string name, string group, bool enabledByDefault = false) =>
        silo.Add(new ModuleRegistration(name, group, enabledByDefault, null));

    /// <summary>Loads the user's modules from the assemblies of <c>modules.user.assemblies</c>; call it behind all built-in modules.</summary>
    /// <exception cref="UserModuleException">An assembly is missing or has no module: the program cannot start.</exception>
    public static ISiloBuilder AddUserModules(this ISiloBuilder silo)
    {
        silo.Services.AddSettings<UserModulesOptions>("modules:user");
        foreach (var type in UserModules.Load(silo.Configuration))
        {
            silo.Add(new ModuleRegistration(null, Groups.User, true, services => (IModule)ActivatorUtilities.CreateInstance(services, type)));
        }

        return silo;
    }

    // A silo builder's services come behind Orleans' own, so the host starts when grains answer and stops before they do.
    private static ISiloBuilder Add(this ISiloBuilder silo, ModuleRegistration module)
    {
        silo.Services.AddSingleton(module);
        if (module.Name is { } name && ModuleSwitch.IsFor(name))
        {
            silo.Services.AddSingleton<SettingsSection>(new ModuleSwitchSection(name, module.EnabledByDefault));
        }

        silo.Services.TryAddSingleton<ModuleCatalog>();
        silo.Services.TryAddSingleton<ModuleHost>();
        if (!silo.Services.Any(static service => service.ServiceType == typeof(HostMarker)))
        {
            silo.Services.AddSingleton<HostMarker>();
            silo.Services.AddSingleton<IHostedService>(static services => services.GetRequiredService<ModuleHost>());
        }

        return silo;
    }

    private sealed class HostMarker;
}
