namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Settings of the link to the cloud. Section: <c>modules.edgeHub</c>, with edgecore's names.</summary>
public sealed class EdgeHubOptions
{
    /// <summary>The section of these settings.</summary>
    public const string Section = "modules:edgeHub";

    /// <summary>The link over a WebSocket.</summary>
    public WebSocketOptions WebSocket { get; init; } = new();

    /// <summary>Whether this node has a cloud; without one nothing is kept for it.</summary>
    public bool HasCloud => !string.IsNullOrWhiteSpace(WebSocket.Server);

    /// <summary>The link over a WebSocket. Section: <c>modules.edgeHub.websocket</c>.</summary>
    public sealed class WebSocketOptions
    {
        /// <summary>The cloud's address, <c>host:port</c> or <c>wss://host:port</c>; without one the node works alone. Default: none.</summary>
        public string Server { get; init; } = "";
    }
}
