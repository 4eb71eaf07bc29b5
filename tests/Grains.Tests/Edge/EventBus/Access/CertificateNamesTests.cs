using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class CertificateNamesTests
{
    [Theory]
    [InlineData("CN=pump-1", "pump-1")]
    [InlineData("CN=default/pump-1, O=Plant", "default/pump-1")]
    [InlineData("O=Plant, C=DE, CN=Jörg Müller", "Jörg Müller")]
    [InlineData("CN=\"a, b\"", "a, b")]
    public void The_user_is_the_common_name(string subject, string user)
    {
        using var certificate = Of(new X500DistinguishedName(subject));

        Assert.True(CertificateNames.TryRead(certificate, "node", out var read, out var reason));
        Assert.Equal(user, read);
        Assert.Null(reason);
    }

    [Theory]
    [InlineData("O=Plant")]
    [InlineData("")]
    [InlineData("CN=a, CN=b")]
    [InlineData("CN=a+O=b")]
    [InlineData("CN=\"#\"")]
    [InlineData("CN=\"a+b\"")]
    [InlineData("CN=a:b")]
    [InlineData("CN=a/b/c")]
    [InlineData("CN=node")]
    [InlineData("CN=Node")]
    public void A_subject_that_names_no_user_is_told_why(string subject)
    {
        using var certificate = Of(new X500DistinguishedName(subject));

        Assert.False(CertificateNames.TryRead(certificate, "node", out var user, out var reason));
        Assert.Null(user);
        Assert.NotEmpty(reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    public void A_common_name_that_is_empty_or_no_text_is_none(string name)
    {
        using var certificate = Of(Raw(name));

        Assert.False(CertificateNames.TryRead(certificate, "", out _, out var reason));
        Assert.NotEmpty(reason);
    }

    private static X500DistinguishedName Raw(string name)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSetOf())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.5.4.3");
            writer.WriteCharacterString(UniversalTagNumber.UTF8String, name);
        }

        return new X500DistinguishedName(writer.Encode());
    }

    private static X509Certificate2 Of(X500DistinguishedName subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
    }
}
