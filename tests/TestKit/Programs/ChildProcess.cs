using System.Diagnostics;

namespace EdgeOrleans.TestKit;

/// <summary>A process of a test: what it writes is kept, and it does not outlive the test.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Stopwatch _running = Stopwatch.StartNew();

    private ChildProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Output.Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Error.Add(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>Standard output.</summary>
    public ProcessOutput Output { get; } = new();

    /// <summary>Standard error.</summary>
    public ProcessOutput Error { get; } = new();

    /// <summary>Standard input.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Whether it is over.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its path, or a name to be found in PATH.</param>
    /// <param name="arguments">Its arguments, as they are.</param>
    /// <param name="environment">Variables to set; null takes one away.</param>
    /// <param name="folder">Where it runs; default: the system's temporary folder, so that nothing lands in the sources.</param>
    public static ChildProcess Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys.Where(IsOurs).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(start);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<CommandResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? input = null,
        string? folder = null,
        TimeSpan? within = null)
    {
        await using var process = Start(program, arguments, environment, folder);
        await process.EndInputAsync(input);
        return await process.ResultAsync(within);
    }

    /// <summary>Waits for the end and returns the exit code.</summary>
    /// <exception cref="TimeoutException">It did not end.</exception>
    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(within ?? Patience.Default);
            return _process.ExitCode;
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} ({Id}) did not end; it wrote:\n{Output.Text}\n{Error.Text}");
        }
    }

    /// <summary>Waits for the end and returns all there is to know of it.</summary>
    public async Task<CommandResult> ResultAsync(TimeSpan? within = null) =>
        new(await ExitAsync(within), Output.Text, Error.Text, _running.Elapsed);

    /// <summary>Sends a signal by its name without <c>SIG</c>, such as <c>TERM</c>.</summary>
    public void Signal(string name) => Posix.Send(Id, name);

    /// <summary>SIGKILL: the process has no say.</summary>
    public void Kill()
    {
        if (!HasExited)
        {
            _process.Kill();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    // A program that never reads its input may be gone already.
    private async Task EndInputAsync(string? input)
    {
        try
        {
            await Input.WriteAsync(input);
            Input.Close();
        }
        catch (IOException)
        {
        }
    }

    // What a developer has set for his own node must not reach the nodes of tests.
    private static bool IsOurs(string variable) =>
        variable.StartsWith("EDGEORLEANS__", StringComparison.OrdinalIgnoreCase) || variable.StartsWith("EDGECTL_", StringComparison.Ordinal);
}

/// <summary>What came of a program that ran to its end.</summary>
/// <param name="ExitCode">Its exit code; 128 and the signal's number when a signal ended it.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Elapsed">How long it ran.</param>
public sealed record CommandResult(int ExitCode, string Output, string Error, TimeSpan Elapsed)
{
    /// <summary>The lines of standard error.</summary>
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The lines of standard output.</summary>
    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The same, or an exception that shows what the program wrote.</summary>
    public CommandResult Succeeded() =>
        ExitCode == 0 ? this : throw new InvalidOperationException($"exit code {ExitCode}\n{Output}\n{Error}");
}
