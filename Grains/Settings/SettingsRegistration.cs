using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Settings;

public static class SettingsRegistration
{
    /// <summary>Binds a section of the settings to an options class, checked at start. Durations and sizes go through the one converter.</summary>
    /// <remarks>The class's attributes say more: <see cref="LiveAttribute"/>, <see cref="SecretAttribute"/>, <see cref="SizeAttribute"/>, ranges.</remarks>
    public static IServiceCollection AddSettings<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        if (services.Any(s => s.ImplementationInstance is SettingsSection<TOptions>))
        {
            return services;
        }

        var settings = new SettingsSection<TOptions>(section);
        services.AddSingleton<SettingsSection>(settings);
        services.AddSingleton<IConfigureOptions<TOptions>>(s => settings.For(s.GetRequiredService<IConfiguration>()));
        services.AddSingleton<IOptionsChangeTokenSource<TOptions>>(
            s => new ConfigurationChangeTokenSource<TOptions>(s.GetRequiredService<IConfiguration>()));
        services.AddOptions<TOptions>().ValidateOnStart();
        return services;
    }

    /// <summary>All sections that were added, in order.</summary>
    public static IReadOnlyList<SettingsSection> Sections(this IServiceCollection services) =>
        [.. services.Select(s => s.ImplementationInstance).OfType<SettingsSection>()];
}
