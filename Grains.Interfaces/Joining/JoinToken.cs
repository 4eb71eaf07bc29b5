using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace EdgeOrleans.Joining;

/// <summary>
/// What a node joins a cloud with, in KubeEdge's form: <c>&lt;sha256 of the CA&gt;.&lt;header&gt;.&lt;claims&gt;.&lt;signature&gt;</c>. The first part is how
/// the node knows the cloud, the other three are how the cloud knows the node.
/// </summary>
/// <remarks>It is a secret: it has no text of its own that could get into a log.</remarks>
public sealed class JoinToken
{
    /// <summary>The longest token that is looked at.</summary>
    public const int MaxLength = 1024;

    private JoinToken(string caHash, string bearer) => (CaHash, Bearer) = (caHash, bearer);

    /// <summary>SHA-256 of the CA certificate's DER, as 64 lower case hex digits.</summary>
    public string CaHash { get; }

    /// <summary>What is sent as <c>Authorization: Bearer</c>; it must not be sent before the CA was checked.</summary>
    public string Bearer { get; }

    /// <summary>Reads a token; white space around it does not count.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        text = text?.Trim();
        if (text is not { Length: > 0 and <= MaxLength })
        {
            return false;
        }

        var parts = text.Split('.');
        if (parts.Length == 4 && parts[0].Length == 64 && parts[0].All(static c => char.IsAsciiDigit(c) || c is >= 'a' and <= 'f') && parts.All(IsPart))
        {
            token = new JoinToken(parts[0], text[65..]);
        }

        return token is not null;
    }

    /// <summary>The token of a cloud, as a person or a script gives it to a node.</summary>
    public static string Format(string caHash, string bearer) => $"{caHash}.{bearer}";

    /// <summary>The first part of every token of a cloud.</summary>
    /// <param name="authority">The CA certificate, DER.</param>
    public static string HashOf(ReadOnlySpan<byte> authority) => Convert.ToHexStringLower(SHA256.HashData(authority));

    /// <summary>Whether a CA certificate that came over a line nobody vouches for is the one that this token was made by.</summary>
    /// <param name="authority">The CA certificate, DER.</param>
    public bool Trusts(ReadOnlySpan<byte> authority) => HashOf(authority) == CaHash;

    private static bool IsPart(string part) => part.Length > 0 && part.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
