using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.Settings;

public static class SettingsRegistration
{
    /// <summary>Binds a section of the settings to an options class, checked at start. Durations and sizes go through the one converter.</summary>
    public static IServiceCollection AddSettings<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        services.AddOptions<TOptions>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
        return services;
    }
}
