namespace EdgeOrleans;

/// <summary>A request the sender got wrong. The sender is told why; nothing is retried.</summary>
/// <param name="code">As in HTTP: 400 bad input, 404 no such thing, 409 conflict, 503 overloaded.</param>
/// <param name="reason">What was wrong and what would be right, as one sentence.</param>
[GenerateSerializer, Alias("refused")]
public sealed class RefusedException(int code, string reason) : Exception(reason)
{
    /// <summary>As in HTTP: 400 bad input, 404 no such thing, 409 conflict, 503 overloaded.</summary>
    [Id(0)]
    public int Code { get; } = code;
}
