namespace EdgeOrleans;

/// <summary>What a process is: one program, one of two roles.</summary>
public enum Role
{
    /// <summary>A node.</summary>
    Edge,

    /// <summary>A silo of the cloud.</summary>
    Cloud,
}
