using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SQLitePCL;

namespace EdgeOrleans.DbManager;

/// <summary>The node's database: one writer thread commits the changes of many callers together; reads see the last commit.</summary>
/// <remarks>
/// Operations run in the order they came. Each is all or nothing, and its caller hears of it after the commit is on the disk. While
/// one commit goes to the disk the next gathers, so nobody pays alone for the disk and nobody lingers for company.
/// It is disposed after the silo: grains write while they deactivate.
/// </remarks>
public sealed partial class Database : IDisposable
{
    private readonly DbManagerOptions _options;
    private readonly ILogger<Database> _logger;
    private readonly DatabaseFile _file;
    private readonly Thread _thread;
    private readonly ITimer _watchdog;

    private readonly Lock _reading = new();
    private readonly DbSession _reader;
    private DbSession _writer;

    // Guarded by _gate: what waits, what is under way, who waits for room.
    private readonly object _gate = new();
    private readonly List<IOperation> _batch = [];
    private List<IOperation> _waiting = [];
    private List<IOperation> _taken = [];
    private TaskCompletionSource? _room;
    private bool _idle;
    private bool _stopping;

    private ICommitParticipant[] _participants = [];
    private bool _failing;
    private bool _broken;

    public Database(IOptions<DbManagerOptions> options, TimeProvider time, ILogger<Database> logger)
    {
        _options = options.Value;
        _logger = logger;
        _file = new DatabaseFile(_options, time, logger);
        _writer = _file.OpenWriter();
        _reader = _file.OpenReader();
        _watchdog = time.CreateTimer(static self => ((Database)self!).GiveUp(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new Thread(Write) { Name = "database writer", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Runs changes on the writer thread; the task ends when they are on the disk.</summary>
    /// <param name="work">Does nothing but talk to the session: it may run twice, and its effects in memory would be there twice.</param>
    /// <exception cref="DatabaseFailedException">They are not: no space, an I/O error, or no answer in time.</exception>
    public Task RunAsync(Action<DbSession> work) => Enqueue(new ActionOperation(work));

    /// <inheritdoc cref="RunAsync(Action{DbSession})"/>
    public Task<T> RunAsync<T>(Func<DbSession, T> work) => Enqueue(new FunctionOperation<T>(work));

    /// <summary>Reads what the last commit left, as one picture.</summary>
    public Task<T> ReadAsync<T>(Func<DbSession, T> work)
    {
        try
        {
            return Task.FromResult(Read(work));
        }
        catch (SqlException e)
        {
            return Task.FromException<T>(Failed(e));
        }
        catch (Exception e)
        {
            return Task.FromException<T>(e);
        }
    }

    /// <summary>Lets somebody take part in every commit. It happens before the first operation that needs it.</summary>
    internal void Join(ICommitParticipant participant) => _participants = [.. _participants, participant];

    /// <summary>Puts an operation behind those that wait.</summary>
    internal Task<T> Enqueue<T>(Operation<T> operation) => TryEnqueue(operation, out var room) ? operation.Task : EnqueueWhenThereIsRoom(operation, room);

    /// <summary>Stops taking operations, finishes those that wait, and closes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
        _watchdog.Dispose();
        lock (_reading)
        {
            _reader.Dispose();
        }

        _writer.Dispose();
    }

    /// <summary>Runs something on the writer's connection outside any commit.</summary>
    internal Task RunRawAsync(string sql) => Enqueue(new ActionOperation(db => db.RunScript(sql)));

    /// <summary>As <see cref="ReadAsync"/>, on this thread.</summary>
    internal T Read<T>(Func<DbSession, T> work)
    {
        lock (_reading)
        {
            _reader.Execute("BEGIN");
            try
            {
                return work(_reader);
            }
            finally
            {
                _reader.Execute("COMMIT");
            }
        }
    }

    private async Task<T> EnqueueWhenThereIsRoom<T>(Operation<T> operation, Task room)
    {
        do
        {
            await room;
        }
        while (!TryEnqueue(operation, out room));

        return await operation.Task;
    }

    private bool TryEnqueue(IOperation operation, out Task room)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (_waiting.Count >= _options.MaxWaiting)
            {
                room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                return false;
            }

            _waiting.Add(operation);
            if (_idle)
            {
                _idle = false;
                Monitor.Pulse(_gate);
            }
        }

        room = Task.CompletedTask;
        return true;
    }

    private void Write()
    {
        while (WaitForWork())
        {
            _watchdog.Change(_options.CommitTimeout, _options.CommitTimeout);
            try
            {
                CommitBatch();
                Healed();
            }
            catch (Exception e)
            {
                Fail(e);
            }

            _watchdog.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (_gate)
            {
                _batch.Clear();
            }
        }
    }

    private bool WaitForWork()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                if (_stopping)
                {
                    return false;
                }

                _idle = true;
                Monitor.Wait(_gate);
                _idle = false;
            }

            return true;
        }
    }

    // What came while the commit gathered joins it, so that one trip to the disk serves as many as possible.
    private void CommitBatch()
    {
        if (_broken)
        {
            Reopen();
        }

        _writer.Execute("BEGIN IMMEDIATE");
        var done = 0;
        while (_batch.Count < _options.MaxBatch && Take())
        {
            for (; done < _batch.Count; done++)
            {
                if (!TryRun(_batch[done]))
                {
                    RunAgainOneByOne();
                    done = _batch.Count - 1;
                }
            }
        }

        Commit();
        foreach (var operation in _batch)
        {
            operation.Done();
        }
    }

    private bool Take()
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                return false;
            }

            (_taken, _waiting) = (_waiting, _taken);
            _batch.AddRange(_taken);
            _taken.Clear();
            (room, _room) = (_room, null);
        }

        room?.SetResult();
        return true;
    }

    /// <returns>False when the operation failed after it had changed something: the transaction holds half of it.</returns>
    private bool TryRun(IOperation operation)
    {
        if (operation.IsOver)
        {
            return true;
        }

        var before = _writer.Changes;
        try
        {
            operation.Run(_writer);
            return true;
        }
        catch (Exception e) when (IsOfTheOperation(e))
        {
            operation.Fail(e);
            return _writer.Changes == before;
        }
    }

    // The second try pays for a savepoint around every operation. The first does not need any: an operation seldom fails half-way.
    private void RunAgainOneByOne()
    {
        Rollback();
        _writer.Execute("BEGIN IMMEDIATE");
        foreach (var operation in _batch)
        {
            if (operation.IsOver)
            {
                continue;
            }

            _writer.Execute("SAVEPOINT operation");
            try
            {
                operation.Run(_writer);
                Flush();
            }
            catch (Exception e) when (IsOfTheOperation(e))
            {
                operation.Fail(e);
                _writer.Execute("ROLLBACK TO operation");
                Discard();
            }

            _writer.Execute("RELEASE operation");
        }
    }

    private void Commit()
    {
        Flush();
        _writer.Execute("COMMIT");
        foreach (var participant in _participants)
        {
            participant.Committed();
        }
    }

    private void Flush()
    {
        foreach (var participant in _participants)
        {
            participant.Flush(_writer);
        }
    }

    private void Discard()
    {
        foreach (var participant in _participants)
        {
            participant.Discard();
        }
    }

    private void Rollback()
    {
        try
        {
            // A broken writer is not touched any more: SQLite answers a closed handle with a crash of the process.
            if (!_broken && _writer.InTransaction)
            {
                _writer.Execute("ROLLBACK");
            }
        }
        finally
        {
            foreach (var participant in _participants)
            {
                participant.RolledBack();
            }
        }
    }

    private bool IsOfTheOperation(Exception e) => e is not SqlException { IsOfTheWorld: true } && _writer.InTransaction;

    // All of the batch fails, because nobody can say whose share of the disk was missing. The writer goes on with the next.
    private void Fail(Exception e)
    {
        var failure = Failed(e);
        if (!_failing)
        {
            _failing = true;
            LogFailing(e, _options.Path, failure.Message);
        }

        if (_batch.Count == 0)
        {
            Take();
        }

        try
        {
            Rollback();
        }
        catch (Exception inner)
        {
            _broken = true;
            LogBroken(inner, _options.Path);
        }

        foreach (var operation in _batch)
        {
            operation.Fail(failure);
        }
    }

    private DatabaseFailedException Failed(Exception e)
    {
        if (e is not SqlException sql)
        {
            return new DatabaseFailedException($"{_options.Path} failed: {e.Message}", e);
        }

        switch (sql.Code & 0xff)
        {
            case raw.SQLITE_FULL:
                return new DatabaseFailedException(
                    $"there is no space left for {_options.Path}; nothing that was stored is lost, and changes are taken again as soon as there is room", e);
            case raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB:
                _file.Suspect();
                return new DatabaseFailedException($"{_options.Path} is damaged ({sql.Reason}); the next start checks all of it", e);
            default:
                return new DatabaseFailedException($"{_options.Path} could not be written or read: {sql.Reason} (SQLite error {sql.Code})", e);
        }
    }

    private void Healed()
    {
        if (_failing)
        {
            _failing = false;
            LogHealed(_options.Path);
        }
    }

    private void Reopen()
    {
        // The old one goes only when there is a new one: this may fail and be tried again with the next change.
        var opened = _file.Reopen();
        _writer.Dispose();
        _writer = opened;
        _broken = false;
    }

    private void GiveUp()
    {
        TaskCompletionSource? room;
        List<IOperation> over;
        lock (_gate)
        {
            over = [.. _batch, .. _waiting];
            _waiting.Clear();
            (room, _room) = (_room, null);
        }

        var failure = new DatabaseFailedException(
            $"{_options.Path} did not answer within {_options.CommitTimeout.TotalSeconds:0.###} s; the change may have reached the disk or not");
        foreach (var operation in over)
        {
            operation.Fail(failure);
        }

        room?.SetResult();
        LogStuck(_options.Path, _options.CommitTimeout, over.Count);
    }

    [LoggerMessage(LogLevel.Error, "Database {Path} takes no changes: {Reason}")]
    private partial void LogFailing(Exception exception, string path, string reason);

    [LoggerMessage(LogLevel.Warning, "Database {Path} could not undo a failed commit; it is opened anew")]
    private partial void LogBroken(Exception exception, string path);

    [LoggerMessage(LogLevel.Information, "Database {Path} takes changes again")]
    private partial void LogHealed(string path);

    [LoggerMessage(LogLevel.Error, "Database {Path} did not answer within {Timeout}; {Count} changes were told that they failed")]
    private partial void LogStuck(string path, TimeSpan timeout, int count);
}
