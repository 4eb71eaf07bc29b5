using System.Text;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class PasswordHashTests
{
    // Written by mosquitto_passwd 2.0.11.
    private const string OfMosquitto =
        "$7$101$i4vQWskBvF4P+88q$6GwFMpDLj72Azc5GUmKY9SOfO7cRi5c5k6hVaXo3WSaus28xjV0OWObpkX23s27WAGohUgY8HQiAvfSBAOJYIA==";

    private const string Salt = "i4vQWskBvF4P+88q";
    private const string Hash = "6GwFMpDLj72Azc5GUmKY9SOfO7cRi5c5k6hVaXo3WSaus28xjV0OWObpkX23s27WAGohUgY8HQiAvfSBAOJYIA==";

    [Fact]
    public void A_password_that_mosquitto_has_hashed_is_right_here()
    {
        var hash = Read(OfMosquitto);

        Assert.True(hash.Verify("geheim"u8));
        Assert.False(hash.Verify("Geheim"u8));
        Assert.False(hash.Verify(""u8));
        Assert.Equal(OfMosquitto, hash.ToLine());
    }

    [Fact]
    public void What_is_written_is_read_again_and_has_the_salt_that_mosquitto_wants()
    {
        var hash = PasswordHash.Of("pass\0wörd"u8);

        var again = Read(hash.ToLine());

        Assert.True(again.Verify("pass\0wörd"u8));
        Assert.False(again.Verify("pass"u8));
        Assert.Equal(hash, again);
        Assert.Equal(100_000, again.Iterations);
        Assert.Equal(12, Convert.FromBase64String(hash.ToLine().Split('$')[3]).Length);
    }

    [Fact]
    public void The_same_password_has_another_hash_each_time()
    {
        var (one, other) = (PasswordHash.Of("a"u8, 1), PasswordHash.Of("a"u8, 1));

        Assert.NotEqual(one, other);
        Assert.NotEqual(one.ToLine(), other.ToLine());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2_000_000)]
    public void Any_iterations_in_bounds_are_read(int iterations) =>
        Assert.Equal(iterations, Read($"$7${iterations}${Salt}${Hash}").Iterations);

    [Fact]
    public void A_salt_of_64_bytes_is_read() =>
        Assert.True(PasswordHash.TryParse($"$7$1${Convert.ToBase64String(new byte[64])}${Hash}", out _, out _));

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("$7$")]
    [InlineData("$7$0$" + Salt + "$" + Hash)]
    [InlineData("$7$-1$" + Salt + "$" + Hash)]
    [InlineData("$7$2000001$" + Salt + "$" + Hash)]
    [InlineData("$7$99999999999$" + Salt + "$" + Hash)]
    [InlineData("$7$1e3$" + Salt + "$" + Hash)]
    [InlineData("$7$ 101$" + Salt + "$" + Hash)]
    [InlineData("$7$101$" + Salt)]
    [InlineData("$7$101$" + Salt + "$" + Hash + "$")]
    [InlineData("$7$101$" + Salt + "$" + Salt)]
    [InlineData("$7$101$?!$" + Hash)]
    [InlineData("$7$101$$" + Hash)]
    [InlineData("$7$101$AAAA$" + Hash)]
    [InlineData("$6$" + Salt + "$" + Hash)]
    [InlineData("$8$101$" + Salt + "$" + Hash)]
    [InlineData("x$7$101$" + Salt + "$" + Hash)]
    public void What_is_no_hash_is_told_why_without_being_shown(string text)
    {
        Assert.False(PasswordHash.TryParse(text, out var hash, out var reason));

        Assert.Null(hash);
        Assert.NotEmpty(reason);
        Assert.DoesNotContain(Salt, reason, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_old_hash_of_mosquitto_is_told_what_to_do() =>
        Assert.Contains("mosquitto_passwd", Reason($"$6${Salt}${Hash}"), StringComparison.Ordinal);

    [Fact]
    public void A_line_of_a_million_characters_is_refused_without_being_decoded() =>
        Assert.NotEmpty(Reason("$7$1$" + new string('A', 1_000_000) + "$" + Hash));

    [Fact]
    public void Nobodys_hash_is_right_for_no_password()
    {
        var hash = PasswordHash.OfNobody(3);

        Assert.Equal(3, hash.Iterations);
        Assert.False(hash.Verify(""u8));
        Assert.False(hash.Verify(Encoding.UTF8.GetBytes(hash.ToLine())));
    }

    private static PasswordHash Read(string text)
    {
        Assert.True(PasswordHash.TryParse(text, out var hash, out _));
        return hash;
    }

    private static string Reason(string text)
    {
        Assert.False(PasswordHash.TryParse(text, out _, out var reason));
        return reason;
    }
}
