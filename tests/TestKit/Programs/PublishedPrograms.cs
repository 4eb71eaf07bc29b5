using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeOrleans.TestKit;

/// <summary>The programs as users get them: published once for all test processes, and again when a source has changed.</summary>
public static class PublishedPrograms
{
    private static readonly TimeSpan BetweenLooksAtTheLock = TimeSpan.FromMilliseconds(200);
    private static readonly Lazy<Task<string>> PublishedSilo = new(() => PublishAsync("Silo", "edgeorleans"));
    private static readonly Lazy<Task<string>> PublishedClient = new(() => PublishAsync("Client", "edgectl"));

    /// <summary>The path of <c>edgeorleans</c>.</summary>
    public static Task<string> SiloAsync() => PublishedSilo.Value;

    /// <summary>The path of <c>edgectl</c>.</summary>
    public static Task<string> ClientAsync() => PublishedClient.Value;

    private static async Task<string> PublishAsync(string project, string program)
    {
        var name = project.ToLowerInvariant();
        var folder = Repository.PathOf("artifacts", "published", name);
        Directory.CreateDirectory(folder);
        await using var mine = await LockAsync(Repository.PathOf("artifacts", "published", "lock"));
        var stamp = Repository.PathOf("artifacts", "published", name + ".stamp");
        var sources = FingerprintOf(project);
        if (!File.Exists(stamp) || await File.ReadAllTextAsync(stamp) != sources)
        {
            File.Delete(stamp);
            await PublishAsync(project, program, folder);
            await File.WriteAllTextAsync(stamp, sources);
        }

        return Path.Combine(folder, program);
    }

    private static async Task PublishAsync(string project, string program, string folder)
    {
        // Into an empty folder: a file that is no longer published must not be found there. No build server stays behind.
        Directory.Delete(folder, recursive: true);
        string[] arguments = ["publish", project, "-c", "Release", "-o", folder, "-nodeReuse:false", "-p:UseSharedCompilation=false", "-m:1", "-v", "q"];
        var result = await ChildProcess.RunAsync("dotnet", arguments, WithoutMsBuild(), folder: Repository.Root, within: Patience.Publish);
        if (result.ExitCode != 0 || !File.Exists(Path.Combine(folder, program)))
        {
            throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} failed:\n{result.Output}\n{result.Error}");
        }
    }

    // A test runner that was itself started by MSBuild hands down variables that lead another build astray.
    private static Dictionary<string, string?> WithoutMsBuild() => Environment.GetEnvironmentVariables().Keys.Cast<string>()
        .Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
        .ToDictionary(name => name, _ => (string?)null);

    // FileShare.None holds across processes, and the system lets go when the process ends, however it ends.
    private static async Task<FileStream> LockAsync(string path)
    {
        for (var waited = TimeSpan.Zero; ; waited += BetweenLooksAtTheLock)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (waited < Patience.Publish)
            {
                await Task.Delay(BetweenLooksAtTheLock);
            }
        }
    }

    private static string FingerprintOf(string project)
    {
        var files = new[] { project, "Grains", "Grains.Interfaces" }
            .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repository.Root, "Directory.*.*"))
            .Append(Repository.PathOf("global.json"))
            .Where(file => !IsMade(Path.GetRelativePath(Repository.Root, file)))
            .Order(StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var file in files)
        {
            text.Append(CultureInfo.InvariantCulture, $"{file} {new FileInfo(file).Length} {File.GetLastWriteTimeUtc(file).Ticks}\n");
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static bool IsMade(string path) => path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj");
}
