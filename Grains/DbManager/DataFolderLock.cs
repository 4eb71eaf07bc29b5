using System.Globalization;

namespace EdgeOrleans.DbManager;

/// <summary>Keeps a data folder for this process alone. The operating system lets go of it when the process ends, however it ends.</summary>
public sealed class DataFolderLock : IDisposable
{
    /// <summary>The name of the lock file inside the data folder.</summary>
    public const string FileName = "edgeorleans.lock";

    // A file of its own, because nobody can read the one that is locked.
    private const string PidFileName = "edgeorleans.pid";

    private readonly FileStream _file;
    private readonly string _pidFile;

    private DataFolderLock(FileStream file, string pidFile) => (_file, _pidFile) = (file, pidFile);

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
        catch (Exception e) when (e is UnauthorizedAccessException || (e is IOException && !IsLocked(e)))
        {
            throw new StartRefusedException($"the data folder {Path.GetFullPath(folder)} cannot be written to: {e.Message}");
        }
        catch (IOException)
        {
            throw new StartRefusedException(
                $"the data folder {Path.GetFullPath(folder)} is in use by {Owner(folder)}; stop it, or start this node with another --data");
        }

        var pidFile = Path.Combine(folder, PidFileName);
        try
        {
            File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The lock counts, not what is written beside it: a full disk must not keep a node from starting.
        }

        return new DataFolderLock(file, pidFile);
    }

    // The lock file stays: removing it would let a third process lock a name that a second one still waits for.
    public void Dispose()
    {
        File.Delete(_pidFile);
        _file.Dispose();
    }

    // What the operating system says when another one holds it: EAGAIN of Linux, EWOULDBLOCK of macOS, a sharing or a lock violation of Windows.
    // A folder that is read-only, or a disk that is full, is something else.
    private static bool IsLocked(Exception e) => e.HResult is 11 or 35 or unchecked((int)0x80070020) or unchecked((int)0x80070021);

    private static string Owner(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, PidFileName)) is { Length: > 0 } pid ? $"process {pid}" : "another process";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "another process";
        }
    }
}
