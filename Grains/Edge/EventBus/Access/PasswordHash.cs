using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// A password as it is kept: <c>$7$iterations$salt$hash</c>, PBKDF2 with HMAC-SHA512, as mosquitto_passwd 2.0 writes it. A file of mosquitto
/// works here, and ours works there.
/// </summary>
internal sealed class PasswordHash : IEquatable<PasswordHash>
{
    /// <summary>What a hash that we make costs: some 50 ms of a core of an edge node.</summary>
    public const int OwnIterations = 100_000;

    /// <summary>The most iterations that are read: some seconds of a core.</summary>
    public const int MostIterations = 2_000_000;

    /// <summary>The most bytes of a password: what MQTT can carry.</summary>
    public const int LongestPassword = 65_535;

    // mosquitto 2.0 takes no hash whose salt has another length.
    private const int OwnSalt = 12;
    private const int LongestSalt = 64;
    private const int ShortestSalt = 8;
    private const int Length = 64;
    private const string Shape = "a hash is $7$iterations$salt$hash, as mosquitto_passwd 2.0 writes it";

    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private PasswordHash(int iterations, byte[] salt, byte[] hash) => (Iterations, _salt, _hash) = (iterations, salt, hash);

    /// <summary>How many rounds a check takes: 1 to 2,000,000.</summary>
    public int Iterations { get; }

    /// <summary>Makes the hash of a password, with a salt of its own.</summary>
    public static PasswordHash Of(ReadOnlySpan<byte> password, int iterations = OwnIterations)
    {
        var salt = RandomNumberGenerator.GetBytes(OwnSalt);
        return new PasswordHash(iterations, salt, Derive(password, salt, iterations));
    }

    /// <summary>A hash that no password has: to spend the time that a check takes.</summary>
    public static PasswordHash OfNobody(int iterations) =>
        new(iterations, RandomNumberGenerator.GetBytes(OwnSalt), RandomNumberGenerator.GetBytes(Length));

    /// <summary>Reads a hash.</summary>
    /// <param name="text">What stands in a file.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="reason">Why it is none; nothing of the text is in it.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out PasswordHash? hash, [NotNullWhen(false)] out string? reason)
    {
        hash = null;
        var parts = text.Split('$', 6);
        reason = parts switch
        {
            ["", "7", _, _, _] => null,
            ["", "6", ..] => "it is a hash of the old kind $6$; set the password again with mosquitto_passwd 2.0 or edgectl",
            _ => $"what follows the name is no hash; {Shape}",
        };
        if (reason is not null)
        {
            return false;
        }

        if (!int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is 0 or > MostIterations)
        {
            reason = $"the iterations of the hash are no number from 1 to {MostIterations:N0}; {Shape}";
            return false;
        }

        var (salt, bytes) = (Decode(parts[3]), Decode(parts[4]));
        if (salt is not { Length: >= ShortestSalt and <= LongestSalt } || bytes is not { Length: Length })
        {
            reason = $"the salt or the hash is no base64 of {ShortestSalt} to {LongestSalt} and of {Length} bytes; {Shape}";
            return false;
        }

        hash = new PasswordHash(iterations, salt, bytes);
        return true;
    }

    /// <summary>Whether a password is the one. How long it takes tells nothing of the password; it is a core's work.</summary>
    public bool Verify(ReadOnlySpan<byte> password) =>
        CryptographicOperations.FixedTimeEquals(Derive(password, _salt, Iterations), _hash);

    /// <summary>As it stands in a file. For files alone: it belongs in no log.</summary>
    public string ToLine() => $"$7${Iterations}${Convert.ToBase64String(_salt)}${Convert.ToBase64String(_hash)}";

    /// <inheritdoc/>
    public bool Equals(PasswordHash? other) => other is not null && other.Iterations == Iterations
        && _salt.AsSpan().SequenceEqual(other._salt) && CryptographicOperations.FixedTimeEquals(_hash, other._hash);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PasswordHash);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_salt);

    private static byte[] Derive(ReadOnlySpan<byte> password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA512, Length);

    private static byte[]? Decode(string text)
    {
        var bytes = new byte[text.Length];
        return text.Length <= 128 && Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : null;
    }
}
