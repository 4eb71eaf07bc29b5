namespace EdgeOrleans.DbManager;

/// <summary>One caller's changes: all of them are in one commit, or none.</summary>
internal interface IOperation
{
    /// <summary>Whether the caller has its answer already.</summary>
    bool IsOver { get; }

    /// <summary>Makes the changes. It may run a second time when another operation of the commit failed half-way.</summary>
    void Run(DbSession db);

    /// <summary>The commit is on the disk.</summary>
    void Done();

    void Fail(Exception exception);
}

/// <summary>An operation that is its own task; continuations never run on the writer thread.</summary>
internal abstract class Operation<T>() : TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously), IOperation
{
    private T _result = default!;

    public bool IsOver => Task.IsCompleted;

    public void Run(DbSession db) => _result = Change(db);

    public void Done() => TrySetResult(_result);

    public void Fail(Exception exception) => TrySetException(exception);

    protected abstract T Change(DbSession db);
}

internal sealed class FunctionOperation<T>(Func<DbSession, T> work) : Operation<T>
{
    protected override T Change(DbSession db) => work(db);
}

internal sealed class ActionOperation(Action<DbSession> work) : Operation<bool>
{
    protected override bool Change(DbSession db)
    {
        work(db);
        return true;
    }
}
