using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Cloud.CloudHub;

/// <summary>Knows which link of a node is its current one, and passes on to it. Key: the node's name.</summary>
/// <remarks>It stays while there is a link, since nothing but memory knows of it; without one it goes.</remarks>
[GrainType("cloud.node-session"), KeepAlive]
internal sealed partial class NodeSessionGrain(ILogger<NodeSessionGrain> logger) : Grain, INodeSession
{
    private NodeConnection? _connection;
    private INodeLink? _link;

    public async Task<bool> AttachAsync(NodeConnection connection, INodeLink link)
    {
        var (older, before) = (_link, _connection);
        (_connection, _link) = (connection, link);

        // Whoever revokes writes it down and then closes what is here: a link that came in between is found by one of the two.
        if (await IsRevokedAsync(connection))
        {
            (_connection, _link) = (before, older);
            LeaveIfNoLink();
            return false;
        }

        if (older is not null && before!.Session != connection.Session)
        {
            LogReplaced(connection.Node, before.Address, connection.Address);
            await older.CloseAsync("a newer link of this node came in", null);
        }

        await GrainFactory.GetGrain<INodeKeeper>(connection.Node).ConnectedAsync(connection);
        return true;
    }

    public async Task DetachAsync(Guid session, DateTimeOffset lastHeard)
    {
        if (_connection?.Session == session)
        {
            (_connection, _link) = (null, null);
            await GrainFactory.GetGrain<INodeKeeper>(this.GetPrimaryKeyString()).DisconnectedAsync(session, lastHeard);
        }

        LeaveIfNoLink();
    }

    public async Task NudgeAsync()
    {
        if (_link is not null)
        {
            await _link.NudgeAsync();
        }

        LeaveIfNoLink();
    }

    public async Task CloseAsync(string reason, string? serial)
    {
        if (_link is not null)
        {
            await _link.CloseAsync(reason, serial);
        }

        LeaveIfNoLink();
    }

    private Task<bool> IsRevokedAsync(NodeConnection connection) =>
        GrainFactory.GetGrain<INodeCertificateIssuer>(connection.Node).IsRevokedAsync(connection.Serial, connection.CertificateBegins);

    private void LeaveIfNoLink()
    {
        if (_link is null)
        {
            DeactivateOnIdle();
        }
    }

    [LoggerMessage(LogLevel.Information, "Node {Node} has a newer link from {Address}; the one from {Former} is closed")]
    private partial void LogReplaced(string node, string former, string address);
}
