using System.Globalization;

namespace EdgeOrleans.Fault;

/// <summary>A place for a node's data that can be filled and emptied.</summary>
internal abstract class SmallDisk : IAsyncDisposable
{
    /// <summary>The data folder.</summary>
    public abstract string Data { get; }

    /// <summary>The command under which the node runs.</summary>
    public virtual IReadOnlyList<string> Under => [];

    /// <summary>Takes the room away.</summary>
    public abstract Task FillAsync(NodeProcess node);

    /// <summary>Gives it back.</summary>
    public abstract Task EmptyAsync(NodeProcess node);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>A small file system in memory, if this user may mount one, else the reason why not.</summary>
    public static async Task<(SmallDisk? Disk, string Reason)> MountAsync()
    {
        var folder = new TempFolder();
        var mount = await ChildProcess.RunAsync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder.Path]);
        if (mount.ExitCode == 0)
        {
            return (new Mounted(folder), "");
        }

        folder.Dispose();
        return (null, $"a small file system cannot be mounted here: {mount.Error.Trim()}");
    }

    /// <summary>A limit on the size of the process's files, if <c>prlimit</c> is here, else the reason why not.</summary>
    public static (SmallDisk? Disk, string Reason) Limit() => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "prlimit")))
            ? (new Limited(), "")
            : (null, "prlimit is not installed; the package util-linux has it");

    private sealed class Mounted(TempFolder folder) : SmallDisk
    {
        public override string Data => folder.PathOf("data");

        private string Filler => folder.PathOf("filler");

        public override Task FillAsync(NodeProcess node)
        {
            using var filler = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            try
            {
                for (var block = new byte[4096]; ;)
                {
                    filler.Write(block);
                }
            }
            catch (IOException)
            {
                return Task.CompletedTask;
            }
        }

        public override Task EmptyAsync(NodeProcess node)
        {
            File.Delete(Filler);
            return Task.CompletedTask;
        }

        public override async ValueTask DisposeAsync()
        {
            await ChildProcess.RunAsync("umount", ["-l", folder.Path]);
            folder.Dispose();
        }
    }

    // The soft limit alone is lowered, so that it can be raised again. The signal that a write beyond it sends is ignored:
    // a disk that is full sends none.
    private sealed class Limited : SmallDisk
    {
        private readonly TempFolder _folder = new();

        public override string Data => _folder.PathOf("data");

        public override IReadOnlyList<string> Under => ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

        public override Task FillAsync(NodeProcess node) => SetAsync(node, "4096:");

        public override Task EmptyAsync(NodeProcess node) => SetAsync(node, "unlimited:");

        public override ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }

        private static async Task SetAsync(NodeProcess node, string limit) =>
            (await ChildProcess.RunAsync("prlimit", ["--pid", node.Id.ToString(CultureInfo.InvariantCulture), $"--fsize={limit}"])).Succeeded();
    }
}
