using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>Who a client is by its certificate: the common name of its subject. Whether the certificate is to be trusted is asked before.</summary>
internal static class CertificateNames
{
    private const string CommonName = "2.5.4.3";

    /// <summary>Reads the user of a certificate.</summary>
    /// <param name="certificate">The client's certificate.</param>
    /// <param name="reserved">The node's own user, whom nobody is.</param>
    /// <param name="user">The user.</param>
    /// <param name="reason">Why there is none, as a sentence.</param>
    public static bool TryRead(X509Certificate2 certificate, string reserved, [NotNullWhen(true)] out string? user, [NotNullWhen(false)] out string? reason)
    {
        user = null;
        reason = null;
        try
        {
            var names = Names(certificate);
            reason = names switch
            {
                [{ } name] => UserName.Refuses(name, reserved) is { } bad ? $"the common name (CN) of the client's certificate {bad}" : null,
                [] => "the client's certificate has no common name (CN); it is the user's name",
                _ => "the client's certificate has more than one common name (CN), or one that is no text; it has one, the user's name",
            };
            user = reason is null ? names[0] : null;
        }
        catch (CryptographicException)
        {
            reason = "the subject of the client's certificate cannot be read";
        }

        return user is not null;
    }

    // A part of several elements at once is as good as two names: it is read as a name that is no text.
    private static List<string?> Names(X509Certificate2 certificate)
    {
        var names = new List<string?>();
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
            {
                names.Add(null);
            }
            else if (part.GetSingleElementType().Value == CommonName)
            {
                names.Add(part.GetSingleElementValue());
            }
        }

        return names;
    }
}
