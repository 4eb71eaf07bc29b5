namespace EdgeOrleans.Mqtt;

/// <summary>The MQTT broker of a node, for its operator. Key: <see cref="Key"/>. It keeps nothing itself, so any number of it works side by side.</summary>
/// <remarks>A node whose <c>modules.eventBus</c> does not run refuses every call with 409 and says why. A cloud has no broker and no such grain.</remarks>
[Alias("IMqttGrain")]
public interface IMqttGrain : IGrainWithStringKey
{
    /// <summary>The key of the one broker of a node.</summary>
    const string Key = "mqtt";

    /// <summary>The clients that are connected, in the order of their identifiers.</summary>
    /// <param name="query">Its name is a client identifier, in which <c>*</c> stands for any characters.</param>
    /// <exception cref="RefusedException">400 the count.</exception>
    [Alias("ListClients")]
    Task<MqttPage<MqttClientView>> ListClientsAsync(MqttQuery query);

    /// <summary>
    /// The sessions, those of clients that are away included, in the order of their identifiers. What waits for a broker outside is one of
    /// them: <c>$outside</c>.
    /// </summary>
    /// <param name="query">Its name is a client identifier, in which <c>*</c> stands for any characters.</param>
    /// <exception cref="RefusedException">400 the count.</exception>
    [Alias("ListSessions")]
    Task<MqttPage<MqttSessionView>> ListSessionsAsync(MqttQuery query);

    /// <summary>The subscriptions of a session, in the order of their filters.</summary>
    /// <param name="query">Its name is the client identifier, letter by letter.</param>
    /// <exception cref="RefusedException">400 the count; 404 no such session.</exception>
    [Alias("ListSubscriptions")]
    Task<MqttPage<MqttSubscriptionView>> ListSubscriptionsAsync(MqttQuery query);

    /// <summary>The retained messages without their payloads, in the order of their topics.</summary>
    /// <param name="query">
    /// Its name is a topic filter as a client would subscribe with: <c>#</c> and <c>+</c> at the first level leave out topics that begin
    /// with <c>$</c>. Without a name there are all.
    /// </param>
    /// <exception cref="RefusedException">400 the count or the filter.</exception>
    [Alias("ListRetained")]
    Task<MqttPage<MqttRetainedView>> ListRetainedAsync(MqttQuery query);

    /// <summary>Everything of one client but the list of its subscriptions.</summary>
    /// <exception cref="RefusedException">404 no such session.</exception>
    [Alias("GetSession")]
    Task<MqttSessionDetail> GetSessionAsync(string clientId);

    /// <summary>The retained message of a topic with its payload.</summary>
    /// <exception cref="RefusedException">404 nothing is retained there.</exception>
    [Alias("GetRetained")]
    Task<MqttRetainedDetail> GetRetainedAsync(string topic);

    /// <summary>
    /// Ends the connection of a client; MQTT 5 hears <c>0x98</c>, administrative action. Its session stays as after any lost connection, its
    /// last will is published, and the client may come again.
    /// </summary>
    /// <exception cref="RefusedException">404 no such session; 409 the client is not connected, or it is the node itself.</exception>
    [Alias("Disconnect")]
    Task DisconnectAsync(string clientId);

    /// <summary>
    /// Ends a session with its subscriptions and all that waits in it, and its connection before. It is gone from the disk when this returns.
    /// A last will that was still to wait is published now.
    /// </summary>
    /// <exception cref="RefusedException">404 no such session; 409 it is the node's own; 503 the disk takes nothing: the session is still there.</exception>
    [Alias("RemoveSession")]
    Task RemoveSessionAsync(string clientId);

    /// <summary>
    /// Ends what is retained on a topic. Who listens is told nothing; who subscribes later finds nothing. It is gone from the disk when this
    /// returns.
    /// </summary>
    /// <exception cref="RefusedException">404 nothing is retained there; 503 the disk takes nothing now: it is removed there when it does.</exception>
    [Alias("RemoveRetained")]
    Task RemoveRetainedAsync(string topic);
}
