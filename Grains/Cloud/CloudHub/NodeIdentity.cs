using System.Security.Cryptography.X509Certificates;
using EdgeOrleans.Nodes;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>How a node is called in its certificate: <c>O=system:nodes, CN=system:node:&lt;node&gt;</c>, as in Kubernetes.</summary>
internal static class NodeIdentity
{
    public const string Organization = "system:nodes";
    public const string CommonNamePrefix = "system:node:";

    private const string OrganizationOid = "2.5.4.10";
    private const string CommonNameOid = "2.5.4.3";

    /// <summary>The subject of a node's certificate.</summary>
    public static X500DistinguishedName SubjectOf(string node)
    {
        var name = new X500DistinguishedNameBuilder();
        // The last one comes first in the certificate.
        name.AddCommonName(CommonNamePrefix + node);
        name.AddOrganizationName(Organization);
        return name.Build();
    }

    /// <summary>The node of a subject; null when it is not exactly one organization and one name of the right form.</summary>
    public static string? NodeOf(X500DistinguishedName subject)
    {
        var parts = Parts(subject);
        return parts.Count == 2
            && parts.Contains((OrganizationOid, Organization))
            && parts.Find(static p => p.Oid == CommonNameOid).Value is { } name
            && name.StartsWith(CommonNamePrefix, StringComparison.Ordinal)
            && name[CommonNamePrefix.Length..] is var node && NodeName.IsValid(node)
            ? node
            : null;
    }

    /// <summary>Whether what somebody asks for is this node, or leaves it to us. Places and countries, which edgecore adds, do not count.</summary>
    public static bool Allows(X500DistinguishedName asked, string node) => Parts(asked).TrueForAll(part => part.Oid switch
    {
        OrganizationOid => part.Value == Organization,
        CommonNameOid => part.Value == CommonNamePrefix + node,
        _ => true,
    });

    private static List<(string Oid, string? Value)> Parts(X500DistinguishedName name) =>
        [.. name.EnumerateRelativeDistinguishedNames().Select(static part => part.HasMultipleElements
            ? ("", null)
            : (part.GetSingleElementType().Value ?? "", part.GetSingleElementValue()))];
}
