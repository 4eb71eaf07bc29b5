namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>A client's certificate of the node's own authority, as the node remembers it.</summary>
/// <param name="Serial">Its number.</param>
/// <param name="User">Who its client is.</param>
/// <param name="Issued">When it was made; null when the node does not know.</param>
/// <param name="Until">When it ends.</param>
/// <param name="Revoked">When it was revoked; null when it is good.</param>
internal sealed record MadeCertificate(string Serial, string User, DateTimeOffset? Issued, DateTimeOffset Until, DateTimeOffset? Revoked);

/// <summary>The certificates that the node has made for clients, as the file said at one moment.</summary>
internal sealed class MadeCertificates(IReadOnlyDictionary<string, MadeCertificate> bySerial)
{
    public static MadeCertificates None { get; } = new(new Dictionary<string, MadeCertificate>());

    public IEnumerable<MadeCertificate> All => bySerial.Values;

    public MadeCertificate? Find(string serial) => bySerial.GetValueOrDefault(serial);

    public bool IsRevoked(string serial) => Find(serial) is { Revoked: not null };

    /// <summary>Which certificates a person means who takes them back, as they are then; those that are revoked already are not among them.</summary>
    /// <param name="user">The user.</param>
    /// <param name="serial">The one certificate, which need not be known: the node has not always remembered. Null for all that have not ended.</param>
    /// <param name="now">The time.</param>
    /// <param name="end">When a certificate has ended at the latest.</param>
    /// <exception cref="RefusedException">There is none, or it is another's.</exception>
    public IReadOnlyList<MadeCertificate> Meant(string user, string? serial, DateTimeOffset now, DateTimeOffset end)
    {
        MadeCertificate[] meant = serial is null ? [.. All.Where(made => made.User == user && made.Until > now)] : [One(user, serial, end)];
        return meant.Length > 0
            ? [.. meant.Where(static made => made.Revoked is null).Select(made => made with { Revoked = now })]
            : throw new RefusedException(404, $"the node knows no certificate of '{user}' that has not ended; name one that it does not know by its serial number");
    }

    private MadeCertificate One(string user, string serial, DateTimeOffset end)
    {
        if (!SerialNumber.TryRead(serial, out var number))
        {
            throw new RefusedException(400, $"'{serial}' is no serial number; it is 1 to {SerialNumber.Longest} hexadecimal digits, as 'openssl x509 -noout -serial' shows");
        }

        if (UserName.Refuses(user, reserved: "") is { } reason)
        {
            throw new RefusedException(400, $"the name {reason}");
        }

        var known = Find(number) ?? new MadeCertificate(number, user, Issued: null, end, Revoked: null);
        return known.User == user ? known : throw new RefusedException(404, $"the certificate {number} is not of '{user}'");
    }
}
