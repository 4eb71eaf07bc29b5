namespace EdgeOrleans.Link.Wire;

/// <summary>
/// The word <c>node/&lt;node&gt;/</c> before a resource (reference 4.2 and 3.1): inside the cloud it says whose resource it is, on the
/// wire it is not written, since the link is the node's own.
/// </summary>
/// <remarks>
/// Only the beginning counts. KubeEdge looks for the first part that equals <c>node</c> anywhere, so that a namespace or name
/// <c>node</c> leads astray; and it takes one part behind <c>device/</c> for the id, so that ids of two levels do not arrive. Here
/// everything behind the prefix is kept as it is.
/// </remarks>
internal static class NodeResource
{
    private const string Word = "node/";

    /// <summary>What a node said, as the cloud keeps it. Always put before, even when the node wrote a prefix itself: nobody speaks for another.</summary>
    public static string Add(string node, string resource) => $"{Word}{node}/{resource}";

    /// <summary>What the cloud says to a node, as it goes over the wire. A resource without this node's prefix stays as it is, as the orders of tasks do.</summary>
    public static string Remove(string node, string resource) => TryCut(resource, out var named, out var rest) && named == node ? rest : resource;

    /// <summary>Cuts a resource of the cloud into the node and what it has there.</summary>
    public static bool TryCut(string resource, out string node, out string rest)
    {
        var end = resource.StartsWith(Word, StringComparison.Ordinal) ? resource.IndexOf('/', Word.Length) : -1;
        (node, rest) = end > Word.Length ? (resource[Word.Length..end], resource[(end + 1)..]) : ("", resource);
        return end > Word.Length;
    }
}
