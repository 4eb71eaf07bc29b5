namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>A file of users, rules or certificates cannot be used: which one, which line, what is wrong and what would be right. No password or hash is in it.</summary>
/// <param name="path">The file.</param>
/// <param name="line">The line, from 1; 0 when it is the file as a whole.</param>
/// <param name="reason">What is wrong and what would be right.</param>
internal sealed class AccessFileException(string path, int line, string reason)
    : Exception(line > 0 ? $"{path}, line {line}: {reason}" : $"{path}: {reason}")
{
    public int Line => line;
}
