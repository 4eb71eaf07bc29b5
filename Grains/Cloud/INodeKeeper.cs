namespace EdgeOrleans.Cloud;

/// <summary>What the cloud keeps of one node, as its link tells it. Key: the node's name. It is the grain behind the resource <c>Node</c>.</summary>
[Alias("cloud.INodeKeeper")]
internal interface INodeKeeper : IGrainWithStringKey
{
    /// <summary>The node was given its first certificate, or another: it is there from now on.</summary>
    [Alias("Joined")]
    Task JoinedAsync();

    /// <summary>A link of the node is up: it is ready. A node that was not there is made.</summary>
    [Alias("Connected")]
    Task ConnectedAsync(NodeConnection connection);

    /// <summary>A link is down: the node is not ready, unless another link is up since.</summary>
    [Alias("Disconnected")]
    Task DisconnectedAsync(Guid session, DateTimeOffset lastSeen);
}

/// <summary>What is asked or told about many nodes or devices at once.</summary>
/// <remarks>When nodes were last heard is told by a hub for all of its links together: a call or a commit for every keepalive would be neither cheap nor of use.</remarks>
internal interface INodeIndex
{
    /// <summary>Writes down when these nodes were last heard. What is older than what is known changes nothing.</summary>
    Task SeenAsync(IReadOnlyCollection<(string Node, DateTimeOffset At)> nodes);

    /// <summary>At the start of a hub: no node has a link through it any more, whatever was written down before it fell.</summary>
    Task NoneConnectedAsync(string hub);

    /// <summary>The ids of the devices of a node, in their order, behind one of them; at most so many.</summary>
    Task<IReadOnlyList<string>> DevicesOfAsync(string node, string after, int count);
}
