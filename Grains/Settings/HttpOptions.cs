using System.ComponentModel.DataAnnotations;

namespace EdgeOrleans.Settings;

/// <summary>Health and metrics over HTTP. Section: <c>http</c>.</summary>
public sealed class HttpOptions : IValidatableObject
{
    /// <summary>Where it listens; whoever reaches it can read metrics. Port 0 takes a free one. Default: <c>http://127.0.0.1:10080</c>.</summary>
    public Uri Listen { get; init; } = new("http://127.0.0.1:10080");

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Listen.Scheme == Uri.UriSchemeHttp && (System.Net.IPAddress.TryParse(Listen.DnsSafeHost, out _) || Listen.IsLoopback)
            ? []
            : [new ValidationResult($"is \"{Listen}\", but it must be http:// with an IP address, such as http://127.0.0.1:10080", [nameof(Listen)])];
}
