using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;

namespace EdgeOrleans.Devices;

/// <summary>The types of a device model's properties (KubeEdge v1beta1).</summary>
internal enum ModelType
{
    String,
    Int,
    Float,
    Double,
    Boolean,
    Bytes,
    Stream,
}

/// <summary>What a device model says about one property.</summary>
[GenerateSerializer, Immutable, Alias("devices.model-property")]
internal sealed record ModelProperty
{
    [Id(0)]
    public ModelType Type { get; init; }

    [Id(1)]
    public bool ReadOnly { get; init; }

    [Id(2)]
    public double? Minimum { get; init; }

    [Id(3)]
    public double? Maximum { get; init; }

    /// <summary>The type that its twin has.</summary>
    public string TwinType => Type switch
    {
        ModelType.Int => "int",
        ModelType.Float or ModelType.Double => "float",
        ModelType.Boolean => "boolean",
        _ => TwinTypes.Text,
    };

    /// <summary>Why a value is none of this property; null when it is one.</summary>
    public string? WhyNot(string name, string value)
    {
        var reason = Type switch
        {
            ModelType.Bytes => Base64.IsValid(value) ? null : $"the value of {name} is not base64, which its model's type BYTES wants",
            ModelType.Stream => $"{name} is of type STREAM in its model and has no value in a twin",
            _ => TwinTypes.WhyNot(TwinType, value),
        };
        return reason ?? WhyOutside(name, value);
    }

    private string? WhyOutside(string name, string value)
    {
        if ((Minimum is null && Maximum is null) || Type is ModelType.String or ModelType.Boolean or ModelType.Bytes)
        {
            return null;
        }

        var number = TwinTypes.ToNumber(value);
        return (Minimum is { } least && !(number >= least)) || (Maximum is { } most && !(number <= most))
            ? string.Create(CultureInfo.InvariantCulture, $"the value of {name} is outside of its model's range ({Minimum?.ToString() ?? "no minimum"} to {Maximum?.ToString() ?? "no maximum"})")
            : null;
    }
}

/// <summary>What a device model says about the twins of its devices. A property it does not name is free.</summary>
[GenerateSerializer, Immutable, Alias("devices.model-rules")]
internal sealed record ModelRules
{
    [Id(0)]
    public ImmutableDictionary<string, ModelProperty> Properties { get; init; } = ImmutableDictionary<string, ModelProperty>.Empty;
}
