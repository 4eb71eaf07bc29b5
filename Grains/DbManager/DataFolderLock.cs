using System.Globalization;

namespace EdgeOrleans.DbManager;

/// <summary>Keeps a data folder for this process alone. The operating system lets go of it when the process ends, however it ends.</summary>
public sealed class DataFolderLock : IDisposable
{
    /// <summary>The name of the lock file inside the data folder.</summary>
    public const string FileName = "edgeorleans.lock";

    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <summary>Takes a data folder, which is made when it is not there.</summary>
    /// <exception cref="StartRefusedException">Another process has it, or it cannot be written to.</exception>
    public static DataFolderLock Acquire(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"the data folder {Path.GetFullPath(folder)} cannot be made: {e.Message}");
        }

        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartRefusedException($"the data folder {Path.GetFullPath(folder)} cannot be written to: {e.Message}");
        }
        catch (IOException)
        {
            throw new StartRefusedException(
                $"the data folder {Path.GetFullPath(folder)} is in use by {Owner(path)}; stop it, or start this node with another --data");
        }

        try
        {
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            file.Flush();
        }
        catch (IOException)
        {
            // The lock counts, not what is written in it: a full disk must not keep a node from starting.
        }

        return new DataFolderLock(file);
    }

    // The file stays: removing it would let a third process lock a name that a second one still waits for.
    public void Dispose() => _file.Dispose();

    private static string Owner(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd() is { Length: > 0 } pid ? $"process {pid}" : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
