namespace EdgeOrleans.TestKit;

/// <summary>Where the sources are: the nearest folder above the running program that holds <c>EdgeOrleans.sln</c>.</summary>
public static class Repository
{
    /// <summary>The root folder.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>A path below the root.</summary>
    public static string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "EdgeOrleans.sln")) ? folder
        : Path.GetDirectoryName(folder) is { } parent ? Find(parent)
        : throw new InvalidOperationException($"EdgeOrleans.sln is not above {AppContext.BaseDirectory}: the programs to test cannot be published");
}
