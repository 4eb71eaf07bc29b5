namespace EdgeOrleans.Client.Manifests;

/// <summary>Where a value stands in its file, and where what is in it stands.</summary>
internal sealed class Place(long line)
{
    private readonly List<(string Name, Place Place)> _inside = [];

    public long Line { get; } = line;

    /// <summary>Adds what a map's key or a list's number, such as <c>[0]</c>, names.</summary>
    public Place Add(string name, long line)
    {
        var place = new Place(line);
        _inside.Add((name, place));
        return place;
    }

    /// <summary>The place of a path such as <c>spec.properties[0].type</c>, or of as much of it as is there. A sentence may follow the path.</summary>
    public Place At(ReadOnlySpan<char> path)
    {
        foreach (var (name, place) in _inside)
        {
            if (path.StartsWith(name, StringComparison.Ordinal) && (path.Length == name.Length || path[name.Length] is '.' or '[' or ':' or ' '))
            {
                return place.At(path[name.Length..].TrimStart('.'));
            }
        }

        return this;
    }
}
