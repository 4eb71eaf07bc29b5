using System.ComponentModel.DataAnnotations;
using EdgeOrleans.Nodes;

namespace EdgeOrleans.Settings;

/// <summary>Who this node is. Section: <c>node</c>.</summary>
public sealed class NodeOptions : IValidatableObject
{
    /// <summary>
    /// The node's name, used in topics, in the certificate and by the cloud. edgecore's <c>modules.edged.hostnameOverride</c> sets it, too.
    /// Default: the host name in lower case.
    /// </summary>
    public string Name { get; init; } = NameOf(Environment.MachineName);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        NodeName.IsValid(Name)
            ? []
            : [new ValidationResult(
                $"is \"{Name}\", but a node's name has lower case letters, digits, '-' and '.', and begins and ends with a letter or digit", [nameof(Name)])];

    private static string NameOf(string host)
    {
        var name = string.Concat(host.ToLowerInvariant().Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' ? c : '-'));
        name = name.Trim('-', '.');
        return name.Length == 0 ? "node" : name;
    }
}
