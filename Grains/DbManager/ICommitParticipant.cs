namespace EdgeOrleans.DbManager;

/// <summary>Keeps something in memory while a commit gathers, such as counters. Everything is called on the writer thread.</summary>
internal interface ICommitParticipant
{
    /// <summary>Writes down what was gathered. Called before a commit, and after each operation when a commit is tried a second time.</summary>
    void Flush(DbSession db);

    /// <summary>What was gathered since the last flush never happened.</summary>
    void Discard();

    /// <summary>What was gathered or flushed is on the disk.</summary>
    void Committed();

    /// <summary>What was gathered or flushed since the last commit never happened.</summary>
    void RolledBack();
}
