using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class RevocationListsTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2027, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TestAuthority _company = new("a company", Noon);
    private readonly TestAuthority _other = new("another", Noon);

    public void Dispose()
    {
        _company.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void Who_is_in_the_list_of_its_authority_is_revoked_and_the_same_number_of_another_is_not()
    {
        var (bad, good) = (_company.Issue("pump-1").Certificate, _company.Issue("pump-2").Certificate);

        var lists = Parse(_company.Revoke(Noon, Noon.AddDays(1), bad));

        Assert.Equal(1, lists.Count);
        Assert.True(lists.Has(IdOf(bad)));
        Assert.False(lists.Has(IdOf(good)));
        Assert.False(lists.Has(IdOf(bad) with { Issuer = "AB" }));
    }

    [Fact]
    public void A_file_of_PEM_holds_the_lists_of_several_authorities()
    {
        var (one, two) = (_company.Issue("pump-1").Certificate, _other.Issue("pump-2").Certificate);
        var text = "of both\n" + Pem(_company.Revoke(Noon, Noon.AddDays(1), one)) + "\n" + Pem(_other.Revoke(Noon, Noon.AddDays(2), two)) + "\n";

        var lists = Parse(System.Text.Encoding.Latin1.GetBytes(text));

        Assert.True(lists.Has(IdOf(one)) && lists.Has(IdOf(two)));
        Assert.Equal(Noon.AddDays(1), lists.Next);
    }

    [Theory]
    [InlineData(true, "SHA256")]
    [InlineData(false, "SHA256")]
    [InlineData(true, "SHA384")]
    [InlineData(false, "SHA512")]
    public void Lists_that_RSA_has_signed_are_verified(bool isPss, string hash)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=rsa", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var authority = request.CreateSelfSigned(Noon.AddDays(-1), Noon.AddDays(9));
        var generator = X509SignatureGenerator.CreateForRSA(key, isPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        var list = new CertificateRevocationListBuilder();
        list.AddEntry([0x0A, 0x0B]);
        var der = list.Build(authority.SubjectName, generator, 1, Noon.AddDays(1), new HashAlgorithmName(hash), KeyOf(authority), Noon);

        var lists = RevocationLists.Parse("a.crl", der, [authority], null, Noon);

        Assert.True(lists.Has(new CertificateId(Convert.ToHexString(authority.SubjectName.RawData), "A0B")));
    }

    [Fact]
    public void A_list_of_nobody_who_vouches_for_clients_is_refused()
    {
        var error = Assert.Throws<AccessFileException>(() => RevocationLists.Parse("a.crl", _other.Revoke(Noon, Noon.AddDays(1)), [_company.Certificate], null, Noon));

        Assert.Contains("'CN=another' is of nobody in tlsClientCaFile", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_that_another_has_signed_in_the_authoritys_name_is_refused()
    {
        using var impostor = new TestAuthority("a company", Noon);

        var error = Assert.Throws<AccessFileException>(() => Parse(impostor.Revoke(Noon, Noon.AddDays(1))));

        Assert.Contains("is not signed by 'CN=a company'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_byte_of_a_list_counts()
    {
        var list = _company.Revoke(Noon, Noon.AddDays(1), _company.Issue("pump-1").Certificate);
        for (var i = 0; i < list.Length; i++)
        {
            var bad = list.ToArray();
            bad[i] ^= 1;
            Assert.Throws<AccessFileException>(() => Parse(bad));
            Assert.Throws<AccessFileException>(() => Parse(list[..i]));
        }
    }

    [Fact]
    public void A_list_that_is_over_takes_no_others_place_and_is_better_than_none_at_the_start()
    {
        var bad = _company.Issue("pump-1").Certificate;
        var over = _company.Revoke(Noon.AddDays(-3), Noon.AddDays(-1), bad);
        var before = Parse(_company.Revoke(Noon.AddDays(-4), Noon.AddDays(1)));

        var error = Assert.Throws<AccessFileException>(() => Parse(over, before));
        var atStart = Parse(over);

        Assert.Contains("has ended on 2027-02-28", error.Message, StringComparison.Ordinal);
        Assert.True(atStart.Has(IdOf(bad)));
        Assert.True(Parse(over, atStart).Has(IdOf(bad)));
    }

    [Fact]
    public void An_older_list_takes_no_newers_place()
    {
        var before = Parse(_company.Revoke(Noon, Noon.AddDays(1)));

        var error = Assert.Throws<AccessFileException>(() => Parse(_company.Revoke(Noon.AddDays(-1), Noon.AddDays(2)), before));

        Assert.Contains("put the newest there", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2.5.29.27", true, "0201 01", "of changes or of a part")]
    [InlineData("2.5.29.28", true, "3003 8201FF", "of changes or of a part")]
    [InlineData("2.5.29.28", true, "3003 8101FF", null)]
    [InlineData("1.2.3.4", true, "0500", "(1.2.3.4)")]
    [InlineData("1.2.3.4", false, "0500", null)]
    public void A_list_that_is_not_about_all_clients_is_refused(string kind, bool isCritical, string value, string? said)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ec", key, HashAlgorithmName.SHA256);
        using var authority = request.CreateSelfSigned(Noon.AddDays(-1), Noon.AddDays(9));
        var der = Signed(authority, key, kind, isCritical, Convert.FromHexString(value.Replace(" ", "", StringComparison.Ordinal)));

        var error = Record.Exception(() => RevocationLists.Parse("a.crl", der, [authority], null, Noon));

        Assert.True(said is null ? error is null : error is AccessFileException && error.Message.Contains(said, StringComparison.Ordinal), error?.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no list at all")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")]
    public void What_is_no_list_is_refused(string text) =>
        Assert.Contains("a.crl: ", Assert.Throws<AccessFileException>(() => Parse(System.Text.Encoding.Latin1.GetBytes(text))).Message, StringComparison.Ordinal);

    [Fact]
    public void An_authority_that_may_sign_no_lists_revokes_nobody()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ec", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var authority = request.CreateSelfSigned(Noon.AddDays(-1), Noon.AddDays(9));
        var der = Signed(authority, key, "1.2.3.4", false, [5, 0]);

        Assert.Throws<AccessFileException>(() => RevocationLists.Parse("a.crl", der, [authority], null, Noon));
    }

    private RevocationLists Parse(byte[] bytes, RevocationLists? before = null) =>
        RevocationLists.Parse("a.crl", bytes, [_company.Certificate, _other.Certificate], before, Noon);

    private static string Pem(byte[] list) => new(PemEncoding.Write("X509 CRL", list));

    private static CertificateId IdOf(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return CertificateId.Of(certificate);
    }

    private static X509AuthorityKeyIdentifierExtension KeyOf(X509Certificate2 authority) =>
        X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(new X509SubjectKeyIdentifierExtension(authority.PublicKey, false));

    // Nothing of .NET makes a list with extensions of one's own.
    private static byte[] Signed(X509Certificate2 authority, ECDsa key, string kind, bool isCritical, byte[] value)
    {
        var body = new AsnWriter(AsnEncodingRules.DER);
        using (body.PushSequence())
        {
            body.WriteInteger(1);
            Algorithm(body);
            body.WriteEncodedValue(authority.SubjectName.RawData);
            body.WriteUtcTime(Noon);
            body.WriteUtcTime(Noon.AddDays(1));
            using (body.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (body.PushSequence())
            using (body.PushSequence())
            {
                body.WriteObjectIdentifier(kind);
                if (isCritical)
                {
                    body.WriteBoolean(true);
                }

                body.WriteOctetString(value);
            }
        }

        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue(body.Encode());
            Algorithm(whole);
            whole.WriteBitString(key.SignData(body.Encode(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return whole.Encode();
    }

    private static void Algorithm(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("1.2.840.10045.4.3.2");
        }
    }
}
