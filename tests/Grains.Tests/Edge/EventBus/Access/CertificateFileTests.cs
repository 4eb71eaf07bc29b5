using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class CertificateFileTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2027, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly CertificateFile _file;

    public CertificateFileTests() => _file = new CertificateFile(_folder.PathOf("certificates"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_noted_is_read_again_as_it_was()
    {
        var (one, other) = (Made("A1", "shop/till 1"), Made("B2", "pump-1") with { Revoked = Noon, Issued = null });

        _file.Add(one, Noon);
        _file.Add(other, Noon);

        Assert.Equal([one, other], Load().All);
        Assert.True(Load().IsRevoked("B2"));
        Assert.False(Load().IsRevoked("A1"));
    }

    [Fact]
    public void Comments_and_what_others_have_written_stay()
    {
        _folder.Write("certificates", "# lost at the fair\n\n00:0c:3f - - 2027-01-01T00:00:00Z pump-9\n");

        _file.Add(Made("A1", "pump-1"), Noon);

        Assert.StartsWith("# lost at the fair\n", File.ReadAllText(_file.Path), StringComparison.Ordinal);
        Assert.True(Load().IsRevoked("C3F"));
        _file.Add(Made("A2", "pump-1"), Noon);
        Assert.True(Load().IsRevoked("C3F"));
    }

    [Fact]
    public void A_certificate_is_forgotten_a_year_after_its_end()
    {
        _file.Add(Made("A1", "pump-1") with { Revoked = Noon }, Noon);

        _file.Add(Made("B2", "pump-1"), Noon.AddDays(390));
        Assert.True(Load().IsRevoked("A1"));
        _file.Add(Made("C3", "pump-1"), Noon.AddDays(396));
        Assert.Null(Load().Find("A1"));
    }

    [Fact]
    public void All_of_a_user_are_meant_that_have_not_ended_and_are_good()
    {
        _file.Add(Made("A1", "pump-1"), Noon);
        _file.Add(Made("A2", "pump-1") with { Revoked = Noon.AddDays(-1) }, Noon);
        _file.Add(Made("A3", "pump-1") with { Until = Noon.AddDays(-1) }, Noon);
        _file.Add(Made("B1", "pump-2"), Noon);

        var revoked = _file.Revoke(all => all.Meant("pump-1", null, Noon, Noon.AddYears(1)), Noon);

        Assert.Equal(["A1"], revoked.Select(static made => made.Serial));
        Assert.Equal(Noon, Load().Find("A1")!.Revoked);
        Assert.Equal(Noon.AddDays(-1), Load().Find("A2")!.Revoked);
        Assert.False(Load().IsRevoked("B1"));
    }

    [Theory]
    [InlineData("A1 - - - pump-1\nA1 - - - pump-1", 2, "is there already")]
    [InlineData("A1 - - pump-1", 1, "SERIAL ISSUED UNTIL REVOKED USER")]
    [InlineData("# x\nG1 - - - pump-1", 2, "SERIAL ISSUED UNTIL REVOKED USER")]
    [InlineData("A1 - - today pump-1", 1, "'today' is no time")]
    [InlineData("A1 - - - a:b", 1, "the name ")]
    public void A_wrong_line_is_refused_with_its_number_and_what_would_be_right(string text, int line, string said)
    {
        _folder.Write("certificates", text);

        var error = Assert.Throws<AccessFileException>(Load);

        Assert.Equal(line, error.Line);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Throws<AccessFileException>(() => _file.Add(Made("B2", "pump-1"), Noon));
        Assert.Equal(text, File.ReadAllText(_file.Path));
    }

    [Fact]
    public void Who_changes_it_at_the_same_time_loses_nothing()
    {
        Parallel.For(0, 8, i => _file.Add(Made($"A{i}", "pump-1"), Noon));

        Assert.Equal(8, Load().All.Count());
    }

    private MadeCertificates Load() => _file.Parse(File.ReadAllBytes(_file.Path));

    private static MadeCertificate Made(string serial, string user) => new(serial, user, Noon, Noon.AddDays(30), null);
}
