namespace EdgeOrleans.Client;

/// <summary>What the exit code says. Scripts rely on the numbers.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Unreachable = 3;
    public const int NotFound = 4;

    public const string Explained = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 node or broker not reachable, 4 not found.";
}
