namespace EdgeOrleans.TestKit;

/// <summary>How long a test waits for something that should be there at once. Reaching it is a failure, never a measurement.</summary>
public static class Patience
{
    /// <summary>For an answer, a line, a start or an exit on a slow and busy machine.</summary>
    public static TimeSpan Default { get; } = TimeSpan.FromSeconds(90);

    /// <summary>For publishing the programs, which compiles them.</summary>
    public static TimeSpan Publish { get; } = TimeSpan.FromMinutes(10);
}
