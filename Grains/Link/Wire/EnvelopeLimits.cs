namespace EdgeOrleans.Link.Wire;

/// <summary>How large a frame may be. Neither cloudcore nor edgecore has a limit (reference 1.7): these are ours.</summary>
internal sealed record EnvelopeLimits
{
    /// <summary>The limits when nobody says otherwise.</summary>
    public static EnvelopeLimits Default { get; } = new();

    /// <summary>
    /// The most bytes of a frame. Default: 16 MiB; the largest that KubeEdge carries is an HTTP body of 12 MiB through its router,
    /// as base64, and Kubernetes' objects end at about 1.5 MB.
    /// </summary>
    public int MaxBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How deep a frame may be nested, the envelope included. Default: 64, which is what the readers behind us take by default.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>The most characters of one text in header or route. Default: 65,535, the longest MQTT topic: a resource may be one.</summary>
    public int MaxField { get; init; } = 65_535;
}
