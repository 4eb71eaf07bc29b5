using EdgeOrleans.DbManager;

namespace EdgeOrleans;

public sealed class DataFolderLockTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgeorleans-lock-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_folder_that_another_node_has_is_in_use()
    {
        using var taken = DataFolderLock.Acquire(_folder.FullName);

        var refused = Assert.Throws<StartRefusedException>(() => DataFolderLock.Acquire(_folder.FullName));

        Assert.Contains($"is in use by process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_is_not_said_to_be_in_use()
    {
        // A link to itself: the operating system opens it no more than a file on a read-only disk.
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, DataFolderLock.FileName), DataFolderLock.FileName);

        var refused = Assert.Throws<StartRefusedException>(() => DataFolderLock.Acquire(_folder.FullName));

        Assert.Contains("cannot be written to", refused.Message, StringComparison.Ordinal);
    }
}
