using System.Globalization;
using System.Reflection;

namespace EdgeOrleans.DbManager;

/// <summary>The numbered scripts of <c>Sql/</c>, in order. Script n takes a database from version n-1 to n; nothing goes back.</summary>
internal static class SchemaScripts
{
    /// <summary>All scripts; the version of a script is its place, counted from one.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Names().Select(Read)];

    /// <summary>Brings a database to this program's version.</summary>
    /// <exception cref="StartRefusedException">The database is of a newer version.</exception>
    public static void Apply(DbSession db, IReadOnlyList<string> scripts, string path)
    {
        var version = Version(db);
        if (version > scripts.Count)
        {
            throw new StartRefusedException(
                $"{path} has schema version {version}, and this program knows versions up to {scripts.Count}; start the newer program, or another data folder");
        }

        if (version == scripts.Count)
        {
            return;
        }

        db.RunScript("BEGIN IMMEDIATE");
        for (var next = version; next < scripts.Count; next++)
        {
            db.RunScript(scripts[next]);
        }

        db.RunScript(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={scripts.Count}"));
        db.RunScript("COMMIT");
    }

    private static int Version(DbSession db) => (int)db.Query("PRAGMA user_version", static row => row.GetInt64(0))[0];

    /// <summary>Their names, <c>nnnn-what.sql</c>, in order. The number is the place: no number is left out or given twice.</summary>
    internal static IEnumerable<string> Names() => Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(static name => name.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static string Read(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
