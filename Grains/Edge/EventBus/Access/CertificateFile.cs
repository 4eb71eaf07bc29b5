using System.Globalization;
using System.Text;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// The file of the certificates that the node has made for clients, beside its authority: <c>SERIAL ISSUED UNTIL REVOKED USER</c> a line,
/// with <c>-</c> for a time that is not known or not there, and comments behind a <c>#</c> at the beginning of a line. What others write
/// into it meanwhile stays.
/// </summary>
/// <param name="path">The file.</param>
/// <remarks>A line goes when its certificate has ended a year ago, so that a clock that was set forward for a while lets nobody in again.</remarks>
internal sealed class CertificateFile(string path)
{
    /// <summary>The most bytes of the file.</summary>
    public const int Largest = 10 * 1_024 * 1_024;

    /// <summary>The most certificates.</summary>
    public const int Most = 50_000;

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private const string Header = "# The certificates of MQTT clients that this node has made: SERIAL ISSUED UNTIL REVOKED USER. One with a time in REVOKED is not let in.";
    private static readonly TimeSpan Kept = TimeSpan.FromDays(365);

    private readonly SharedFile _file = new(path, Largest);

    public string Path => path;

    /// <summary>Reads what the file holds.</summary>
    /// <exception cref="AccessFileException">A line is wrong, or there are too many.</exception>
    public MadeCertificates Parse(byte[] bytes)
    {
        var all = new Dictionary<string, MadeCertificate>(StringComparer.Ordinal);
        foreach (var (line, number) in TextFile.Lines(path, bytes).Select(static (line, i) => (line.Trim(), i + 1)))
        {
            if (line.Length == 0 || line.StartsWith('#'))
            {
                continue;
            }

            var made = ParseLine(line, number);
            if (!all.TryAdd(made.Serial, made))
            {
                throw new AccessFileException(path, number, $"the certificate {made.Serial} is there already; remove one of the two lines");
            }

            if (all.Count > Most)
            {
                throw new AccessFileException(path, number, $"there are more than {Most:N0} certificates; remove those that have ended");
            }
        }

        return new MadeCertificates(all);
    }

    /// <summary>Notes a certificate before anybody gets it.</summary>
    /// <exception cref="RefusedException">There are too many.</exception>
    /// <exception cref="AccessFileException">The file cannot be used.</exception>
    public void Add(MadeCertificate made, DateTimeOffset now) => Change(now, all => all[made.Serial] = made);

    /// <summary>Revokes certificates, the ones that are revoked already left as they are.</summary>
    /// <param name="revoke">Says of what is known now which are meant, as they are to be.</param>
    /// <param name="now">The time.</param>
    /// <returns>Those that were good before.</returns>
    /// <inheritdoc cref="Add"/>
    public IReadOnlyList<MadeCertificate> Revoke(Func<MadeCertificates, IReadOnlyList<MadeCertificate>> revoke, DateTimeOffset now)
    {
        IReadOnlyList<MadeCertificate> revoked = [];
        Change(now, all =>
        {
            revoked = revoke(new MadeCertificates(all));
            foreach (var made in revoked)
            {
                all[made.Serial] = made;
            }
        });
        return revoked;
    }

    private void Change(DateTimeOffset now, Action<Dictionary<string, MadeCertificate>> change)
    {
        var refusal = $"the node remembers {Most:N0} certificates of clients at the most; it forgets one a year after its end";
        _file.Change(
            before =>
            {
                var all = before is null ? [] : Parse(before).All.Where(made => made.Until + Kept > now).ToDictionary(static made => made.Serial, StringComparer.Ordinal);
                change(all);
                return all.Count <= Most ? Write(before, all.Values) : throw new RefusedException(507, refusal);
            },
            refusal);
    }

    private string Write(byte[]? before, IEnumerable<MadeCertificate> all)
    {
        string[] comments = before is null ? [Header] : [.. TextFile.Lines(path, before).Select(static line => line.Trim()).Where(static line => line.StartsWith('#'))];
        var text = new StringBuilder();
        text.AppendJoin("", comments.Select(static comment => comment + "\n"));
        foreach (var made in all)
        {
            text.Append(CultureInfo.InvariantCulture, $"{made.Serial} {Time(made.Issued)} {Time(made.Until)} {Time(made.Revoked)} {made.User}\n");
        }

        return text.ToString();
    }

    private MadeCertificate ParseLine(string line, int number)
    {
        var parts = line.Split((char[]?)null, 5, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 5 || !SerialNumber.TryRead(parts[0], out var serial))
        {
            throw new AccessFileException(path, number, "it is no certificate; a line is SERIAL ISSUED UNTIL REVOKED USER, and a comment begins with '#'");
        }

        if (UserName.Refuses(parts[4], reserved: "") is { } bad)
        {
            throw new AccessFileException(path, number, $"the name {bad}");
        }

        return new MadeCertificate(
            serial, parts[4], TimeOf(parts[1], number), TimeOf(parts[2], number) ?? DateTimeOffset.MaxValue - Kept, TimeOf(parts[3], number));
    }

    private DateTimeOffset? TimeOf(string text, int number) => text == "-" ? null
        : DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw new AccessFileException(path, number, $"'{text}' is no time; one is written as 2027-03-01T12:00:00Z, and - stands for none");

    private static string Time(DateTimeOffset? time) => time is { } known && known < DateTimeOffset.MaxValue - Kept
        ? known.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)
        : "-";
}
