using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Which certificate it is: who has made it, and its number there.</summary>
/// <param name="Issuer">The issuer's name as it is encoded, in hexadecimal digits.</param>
/// <param name="Serial">The serial number, as <see cref="SerialNumber"/> writes it.</param>
internal readonly record struct CertificateId(string Issuer, string Serial)
{
    public static CertificateId Of(X509Certificate2 certificate) =>
        new(Convert.ToHexString(certificate.IssuerName.RawData), SerialNumber.Of(certificate.SerialNumberBytes.Span));
}

/// <summary>Serial numbers as text: hexadecimal digits in upper case, without zeros before them.</summary>
internal static class SerialNumber
{
    /// <summary>The most digits: RFC 5280 allows 20 bytes, and a sign.</summary>
    public const int Longest = 42;

    public static string Of(ReadOnlySpan<byte> bytes) => Plain(Convert.ToHexString(bytes));

    /// <summary>Reads a number as people and programs write it: also in lower case, and with colons between the bytes.</summary>
    public static bool TryRead(string text, out string serial)
    {
        var digits = text.Trim().Replace(":", "", StringComparison.Ordinal).ToUpperInvariant();
        serial = Plain(digits);
        return digits.Length is > 0 and <= Longest && digits.All(char.IsAsciiHexDigitUpper);
    }

    private static string Plain(string digits) => digits.TrimStart('0') is { Length: > 0 } plain ? plain : "0";
}
