namespace EdgeOrleans.Client.Manifests;

/// <summary>One resource of a file.</summary>
/// <param name="File">The file it is in.</param>
/// <param name="Place">Where it and everything in it stands there.</param>
/// <param name="Json">The resource as JSON.</param>
/// <param name="Kind">Its kind; empty when it says none.</param>
/// <param name="Namespace">Its namespace; <c>default</c> when it says none.</param>
/// <param name="Name">Its name; empty when it says none.</param>
internal sealed record Manifest(string File, Place Place, string Json, string Kind, string Namespace, string Name)
{
    public const string DeviceModel = "DeviceModel";
    public const string Device = "Device";
    public const string Node = "Node";

    /// <summary>Where it begins, as <c>pump.yaml:12</c>.</summary>
    public string Origin => $"{File}:{Place.Line}";

    public string Id => $"{Namespace}/{Name}";

    /// <summary>As kubectl names it: <c>device/default/pump-1</c>.</summary>
    public string Resource => Kind == Node ? $"node/{Name}" : $"{Kind.ToLowerInvariant()}/{Id}";

    /// <summary>A node's sentence about it, behind the file and the line of the path that the sentence begins with.</summary>
    public string Locate(string sentence) => $"{File}:{Place.At(sentence).Line}: {sentence}";

    /// <summary>Models come before the devices that use them; everything else keeps its place behind.</summary>
    public int Rank => Kind switch
    {
        Node => 0,
        DeviceModel => 1,
        Device => 2,
        _ => 3,
    };
}

/// <summary>What was read of a file: its resources, and what could not be read.</summary>
/// <param name="Manifests">The resources, in the order of the file.</param>
/// <param name="Errors">One sentence each, beginning with file and line.</param>
internal sealed record ManifestSet(IReadOnlyList<Manifest> Manifests, IReadOnlyList<string> Errors);
