using System.ComponentModel.DataAnnotations;

namespace EdgeOrleans.Settings;

/// <summary>Where Orleans listens. Section: <c>silo</c>.</summary>
public sealed class SiloOptions : IValidatableObject
{
    /// <summary>The port between silos, on loopback. Default: 11111.</summary>
    [Range(1, 65535)]
    public int Port { get; init; } = 11111;

    /// <summary>The port of the console, on loopback. Default: 30000.</summary>
    [Range(1, 65535)]
    public int GatewayPort { get; init; } = 30000;

    /// <summary>The two are different ports.</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Port == GatewayPort)
        {
            yield return new ValidationResult(
                $"is {GatewayPort}, and so is silo.port; the console and the other silos each need a port of their own", [nameof(GatewayPort)]);
        }
    }
}
