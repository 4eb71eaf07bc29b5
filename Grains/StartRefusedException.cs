namespace EdgeOrleans;

/// <summary>The start is refused: a setting, a port or the data folder is not as it must be. The message is one sentence for a person.</summary>
public sealed class StartRefusedException(string reason) : Exception(reason);
