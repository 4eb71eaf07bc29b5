using EdgeOrleans.TestKit;

namespace EdgeOrleans.Conformance.Running;

/// <summary>The nodes that the cases share: one without a cloud, and one that has a cloud configured.</summary>
public sealed class Stages : IAsyncLifetime
{
    private EdgeNode? _loneNode;
    private EdgeNode? _linkedNode;
    private Stage? _lone;
    private Stage? _linked;

    internal Stage Lone => _lone!;

    internal Stage Linked => _linked!;

    public async ValueTask InitializeAsync()
    {
        _loneNode = await ProbedNode.StartAsync(cloud: false);
        _lone = await Stage.OpenAsync(_loneNode);
        _linkedNode = await ProbedNode.StartAsync(cloud: true);
        _linked = await Stage.OpenAsync(_linkedNode);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _lone, _linked, _loneNode, _linkedNode }.OfType<IAsyncDisposable>())
        {
            await part.DisposeAsync();
        }
    }
}
