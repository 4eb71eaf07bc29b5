using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Shows an operator the broker, and ends what he wants ended. It keeps nothing, so any number of it may.</summary>
[GrainType("edge.mqtt"), Orleans.Concurrency.StatelessWorker(2)]
internal sealed class MqttGrain(
    MqttBroker broker,
    Sessions sessions,
    SubscriptionIndex subscriptions,
    RetainedMessages retained,
    MqttStore store,
    ModuleCatalog modules,
    TimeProvider time) : Grain, IMqttGrain
{
    public Task<MqttPage<MqttClientView>> ListClientsAsync(MqttQuery query) =>
        Task.FromResult(MqttViews.Page(
            Sessions(query).Select(static session => (Session: session, Connection: session.Connection as MqttConnection)).Where(static one => one.Connection is not null),
            query,
            static one => one.Session.ClientId,
            static one => MqttViews.Of(one.Connection!, one.Session)));

    public Task<MqttPage<MqttSessionView>> ListSessionsAsync(MqttQuery query) =>
        Task.FromResult(MqttViews.Page(Sessions(query), query, static session => session.ClientId, session => MqttViews.Of(session, subscriptions.CountOf(session))));

    public Task<MqttPage<MqttSubscriptionView>> ListSubscriptionsAsync(MqttQuery query)
    {
        Check(query);
        return Task.FromResult(MqttViews.Page(subscriptions.Of(Session(query.Name)), query, static wish => wish.Filter, MqttViews.Of));
    }

    public Task<MqttPage<MqttRetainedView>> ListRetainedAsync(MqttQuery query)
    {
        Check(query);
        if (query.Name.Length > 0 && !MqttRules.IsFilter(query.Name))
        {
            throw new RefusedException(400, $"'{query.Name}' is no topic filter; '+' stands for one level, and '#' at the end for all that follow, such as plant/+/state or plant/#");
        }

        var now = Now;
        var found = retained.All.Where(message => !message.IsExpired(now) && (query.Name.Length == 0 || SubscriptionIndex.Matches(message.Topic, query.Name)));
        return Task.FromResult(MqttViews.Page(found, query, static message => message.Topic, MqttViews.Of));
    }

    public Task<MqttSessionDetail> GetSessionAsync(string clientId)
    {
        CheckRuns();
        var session = Session(clientId);
        return Task.FromResult(MqttViews.Detail(session, subscriptions.CountOf(session), Now));
    }

    public Task<MqttRetainedDetail> GetRetainedAsync(string topic)
    {
        CheckRuns();
        return retained.Find(topic) is { } message && !message.IsExpired(Now) ? Task.FromResult(MqttViews.Detail(message)) : throw NothingRetained(topic);
    }

    public Task DisconnectAsync(string clientId)
    {
        CheckRuns();
        return broker.DisconnectAsync(clientId);
    }

    public Task RemoveSessionAsync(string clientId)
    {
        CheckRuns();
        return broker.RemoveSessionAsync(clientId);
    }

    public async Task RemoveRetainedAsync(string topic)
    {
        CheckRuns();
        var message = retained.Remove(topic) ?? throw NothingRetained(topic);
        store.RetainLater(topic);
        store.Replaced(message);
        if (!await store.FlushAsync())
        {
            throw new RefusedException(503, $"what was retained on '{topic}' is not sent to anybody any more, and the database takes nothing now: it is removed there when it does");
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private IEnumerable<Session> Sessions(MqttQuery query)
    {
        Check(query);
        return query.Name.Length == 0 ? sessions.All
            : query.Name.Contains('*', StringComparison.Ordinal) ? sessions.All.Where(session => MqttViews.IsMeant(session.ClientId, query.Name))
            : sessions.Find(query.Name) is { } one ? [one]
            : [];
    }

    private Session Session(string clientId) =>
        sessions.Find(clientId) ?? throw new RefusedException(404, $"there is no MQTT client '{clientId}', connected or with a session");

    private static RefusedException NothingRetained(string topic) => new(404, $"nothing is retained on the topic '{topic}'");

    private void Check(MqttQuery query)
    {
        CheckRuns();
        query.MustBePossible();
    }

    private void CheckRuns() => modules.MustRunBroker();
}
