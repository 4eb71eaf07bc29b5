namespace EdgeOrleans.Conformance;

/// <summary>The repository that these tests were built in.</summary>
internal static class House
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? folder) => folder is null
        ? throw new DirectoryNotFoundException("no folder above the tests holds EdgeOrleans.sln")
        : File.Exists(Path.Combine(folder.FullName, "EdgeOrleans.sln")) ? folder.FullName : Find(folder.Parent);
}
