using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeOrleans.Cloud.CloudHub;

public sealed class SigningRequestTests : IDisposable
{
    private readonly Csr _csr = new();

    public void Dispose() => _csr.Dispose();

    [Fact]
    public void Of_a_stock_request_the_key_is_taken()
    {
        var (key, refusal) = SigningRequest.Read(_csr.Of("edge-1"), "edge-1");

        Assert.Null(refusal);
        Assert.Equal(_csr.Key.ExportSubjectPublicKeyInfo(), key);
    }

    [Fact]
    public void A_request_that_leaves_the_name_to_us_is_good() => Assert.Null(SigningRequest.Read(_csr.WithSubject(""), "edge-1").Refusal);

    [Theory]
    [InlineData("O=system:nodes, CN=system:node:edge-2")]
    [InlineData("O=system:masters, CN=system:node:edge-1")]
    [InlineData("O=system:nodes, CN=edge-1")]
    [InlineData("O=system:nodes, CN=system:node:edge-1, CN=system:node:edge-2")]
    [InlineData("O=system:nodes, O=system:masters, CN=system:node:edge-1")]
    [InlineData("O=KubeEdge, CN=kubeedge.io")]
    [InlineData("O=system:nodes, CN=system:node:edge-1+CN=system:node:edge-2")]
    public void W3_A_request_in_another_name_is_refused(string subject) =>
        Assert.Equal("csr-other-name", SigningRequest.Read(_csr.WithSubject(subject), "edge-1").Refusal?.Reason);

    [Fact]
    public void W3_A_request_that_is_not_signed_with_its_own_key_is_refused()
    {
        var der = _csr.Of("edge-1");
        der[^1] ^= 1;

        Assert.Equal("csr-invalid", SigningRequest.Read(der, "edge-1").Refusal?.Reason);
    }

    [Fact]
    public void A_request_with_something_behind_it_is_refused() =>
        Assert.Equal("csr-invalid", SigningRequest.Read([.. _csr.Of("edge-1"), 0], "edge-1").Refusal?.Reason);

    [Theory]
    [InlineData(0, "csr-size")]
    [InlineData(1, "csr-invalid")]
    [InlineData(SigningRequest.MaxSize, "csr-invalid")]
    [InlineData(SigningRequest.MaxSize + 1, "csr-size")]
    public void Bytes_that_are_no_request_are_refused(int size, string reason) =>
        Assert.Equal(reason, SigningRequest.Read(new byte[size], "edge-1").Refusal?.Reason);

    [Fact]
    public void A_key_of_another_kind_is_refused()
    {
        using var p521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        var request = new CertificateRequest("", p521, HashAlgorithmName.SHA256);

        Assert.Equal("csr-key", SigningRequest.Read(request.CreateSigningRequest(), "edge-1").Refusal?.Reason);
    }

    [Fact]
    public void Noise_never_throws()
    {
        var good = _csr.Of("edge-1");
        var random = new Random(7);
        for (var i = 0; i < 500; i++)
        {
            var der = (byte[])good.Clone();
            der[random.Next(der.Length)] = (byte)random.Next(256);

            SigningRequest.Read(der, "edge-1");
        }
    }
}
