using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Settings;

/// <summary>A section of the settings and the options class behind it. All registered sections together are the keys there are.</summary>
public abstract class SettingsSection(string path, Type type)
{
    private readonly Lazy<IReadOnlyList<SettingsKey>> _keys = new(() => KeysOf(path, type));

    /// <summary>The section, with <c>:</c> between its parts; empty for the root.</summary>
    public string Path { get; } = path;

    /// <summary>The settings of the section.</summary>
    public IReadOnlyList<SettingsKey> Keys => _keys.Value;

    /// <summary>An options object with nothing but defaults.</summary>
    public abstract object Defaults();

    /// <summary>What the options' own validators say against a value; empty when nothing.</summary>
    public abstract IEnumerable<SettingsError> Validate(object options, IServiceProvider services);

    /// <summary>Fills an options object with the configured values and checks each; what is wrong is left at its default and returned.</summary>
    public IReadOnlyList<SettingsError> Bind(object options, IConfiguration configuration)
    {
        var errors = new List<SettingsError>();
        foreach (var key in Keys)
        {
            Bind(key, options, configuration, errors);
        }

        foreach (var key in Keys)
        {
            if (key.Refuse(options) is { } refusal)
            {
                errors.Add(refusal);
            }
        }

        if (errors.Count == 0 && options is IValidatableObject validatable)
        {
            errors.AddRange(validatable.Validate(new ValidationContext(options)).Select(ErrorOf));
        }

        return errors;
    }

    private static void Bind(SettingsKey key, object options, IConfiguration configuration, List<SettingsError> errors)
    {
        if (key.IsMap)
        {
            BindMap(key, options, configuration);
        }
        else if (key.IsList)
        {
            BindList(key, options, configuration, errors);
        }
        else if (configuration[key.Path] is { } text && TryConvert(key, text, key.Type, errors, out var value))
        {
            key.Write(options, value);
        }
    }

    private static void BindMap(SettingsKey key, object options, IConfiguration configuration)
    {
        var entries = configuration.GetSection(key.Path).GetChildren().Where(c => c.Value is not null).ToDictionary(c => c.Key, c => c.Value!);
        if (entries.Count > 0)
        {
            key.Write(options, entries);
        }
    }

    // A list is written as one in files, and with commas where there is only one text.
    private static void BindList(SettingsKey key, object options, IConfiguration configuration, List<SettingsError> errors)
    {
        var element = SettingsValue.ElementOf(key.Type)!;
        var texts = configuration[key.Path] is { } text
            ? text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            : configuration.GetSection(key.Path).GetChildren().Select(c => c.Value ?? "").ToArray();
        if (texts.Length == 0 && configuration[key.Path] is null)
        {
            return;
        }

        var values = new List<object?>();
        foreach (var one in texts)
        {
            if (!TryConvert(key, one, element, errors, out var value))
            {
                return;
            }

            values.Add(value);
        }

        key.Write(options, SettingsValue.List(key.Type, element, values));
    }

    private static bool TryConvert(SettingsKey key, string text, Type type, List<SettingsError> errors, out object? value)
    {
        // An address or a number that is set to nothing is not set.
        if (text.Length == 0 && type != typeof(string) && Nullable.GetUnderlyingType(key.Type) is null && !key.Type.IsValueType)
        {
            value = null;
            return false;
        }

        if (key.TryConvert(text, type, out value, out var expected))
        {
            return true;
        }

        errors.Add(new SettingsError(key.Path, $"is \"{(key.IsSecret ? "***" : text)}\", but it must be {expected}"));
        return false;
    }

    private SettingsError ErrorOf(ValidationResult result) => result.MemberNames.FirstOrDefault() is { } member
        ? new SettingsError(Combine(Path, SettingsNames.Camel(member)), result.ErrorMessage ?? "is not right")
        : new SettingsError(Path, result.ErrorMessage ?? "is not right");

    private static List<SettingsKey> KeysOf(string path, Type type)
    {
        var keys = new List<SettingsKey>();
        Collect(path, type, [], keys);
        return keys;
    }

    private static void Collect(string path, Type type, PropertyInfo[] owners, List<SettingsKey> keys)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => !p.IsDefined(typeof(NotASettingAttribute))))
        {
            var key = Combine(path, property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name ?? SettingsNames.Camel(property.Name));
            if (!SettingsValue.IsLeaf(property.PropertyType))
            {
                Collect(key, property.PropertyType, [.. owners, property], keys);
            }
            else if (property.CanWrite)
            {
                keys.Add(new SettingsKey(key, property, owners));
            }
        }
    }

    private static string Combine(string path, string name) => path.Length == 0 ? name : $"{path}:{name}";
}

/// <inheritdoc/>
public sealed class SettingsSection<TOptions>(string path) : SettingsSection(path, typeof(TOptions)), IConfigureOptions<TOptions>
    where TOptions : class
{
    private IConfiguration? _configuration;

    /// <inheritdoc/>
    public override object Defaults() => Activator.CreateInstance<TOptions>();

    /// <inheritdoc/>
    public override IEnumerable<SettingsError> Validate(object options, IServiceProvider services) =>
        services.GetServices<IValidateOptions<TOptions>>()
            .SelectMany(v => v.Validate(Options.DefaultName, (TOptions)options) is { Failed: true } failed ? failed.Failures : [])
            .Select(reason => new SettingsError("", reason));

    /// <summary>Fills the options from the host's configuration.</summary>
    public void Configure(TOptions options)
    {
        var errors = Bind(options, _configuration!);
        if (errors.Count > 0)
        {
            throw new OptionsValidationException(Path, typeof(TOptions), errors.Select(e => e.ToString()));
        }
    }

    internal SettingsSection<TOptions> For(IConfiguration configuration) => new(Path) { _configuration = configuration };
}
