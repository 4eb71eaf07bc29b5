namespace EdgeOrleans.EndToEnd;

/// <summary>One node for the tests of a class that leave it as it is.</summary>
public sealed class RunningNode : IAsyncLifetime
{
    public NodeProcess Node { get; } = new();

    public async ValueTask InitializeAsync() => await Node.StartAsync();

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}
