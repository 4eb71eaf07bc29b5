namespace EdgeOrleans.Link.Wire;

/// <summary>What is wrong with a frame.</summary>
internal enum EnvelopeFault
{
    /// <summary>It has no byte.</summary>
    Empty,

    /// <summary>It has more bytes than a frame may have.</summary>
    TooLarge,

    /// <summary>It is not JSON.</summary>
    NotJson,

    /// <summary>It is nested deeper than a frame may be.</summary>
    TooDeep,

    /// <summary>It is JSON, but no object.</summary>
    NotAnObject,

    /// <summary>More than white space follows the object: a frame is one envelope.</summary>
    TrailingData,

    /// <summary>A field of header or route has a value of another type, or one that is too long.</summary>
    BadField,

    /// <summary>A string escapes half a character (a lone surrogate).</summary>
    BadText,
}

/// <summary>Why a frame is no envelope. The reason names the place, never the content.</summary>
internal sealed record EnvelopeError(EnvelopeFault Fault, string Reason)
{
    public override string ToString() => $"{Fault}: {Reason}";
}

/// <summary>A message cannot become a frame: its sender is wrong, and the same message will not succeed later.</summary>
internal sealed class EnvelopeException(EnvelopeError error) : Exception(error.Reason)
{
    public EnvelopeError Error { get; } = error;
}
