namespace EdgeOrleans.DbManager;

/// <summary>A grain state that brings rows of its own: they are in the same commit as the state, or neither is.</summary>
public interface IWritesAlongside
{
    /// <summary>
    /// Called on the writer thread after the state's row was written. It does nothing but talk to the session: it may be called
    /// once more when another operation of the same commit failed half-way.
    /// </summary>
    void WriteAlongside(DbSession db);
}
