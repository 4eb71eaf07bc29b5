using EdgeOrleans.Mqtt;

namespace EdgeOrleans.Client.Connection;

/// <summary>Lists of a broker in pages: it may have many thousand clients and topics.</summary>
internal static class MqttQueries
{
    public static Task<List<MqttClientView>> ClientsAsync(this IMqttGrain broker, string name, CancellationToken cancellation) =>
        AllAsync(name, broker.ListClientsAsync, static client => client.ClientId, cancellation);

    public static Task<List<MqttSessionView>> SessionsAsync(this IMqttGrain broker, string name, CancellationToken cancellation) =>
        AllAsync(name, broker.ListSessionsAsync, static session => session.ClientId, cancellation);

    public static Task<List<MqttSubscriptionView>> SubscriptionsAsync(this IMqttGrain broker, string clientId, CancellationToken cancellation) =>
        AllAsync(clientId, broker.ListSubscriptionsAsync, static subscription => subscription.Filter, cancellation);

    public static Task<List<MqttRetainedView>> RetainedAsync(this IMqttGrain broker, string filter, CancellationToken cancellation) =>
        AllAsync(filter, broker.ListRetainedAsync, static message => message.Topic, cancellation);

    /// <summary>All users, on one page.</summary>
    public static async Task<MqttUsers> UsersAsync(this IMqttUsersGrain users, string name, CancellationToken cancellation)
    {
        MqttUsers? last = null;
        var names = await AllAsync(name, async query => (last = await users.ListAsync(query)).Page, static user => user, cancellation);
        return last! with { Page = new MqttPage<string> { Items = [.. names] } };
    }

    public static Task<List<MqttCertificateView>> CertificatesAsync(this IMqttUsersGrain users, string name, CancellationToken cancellation) =>
        AllAsync(name, users.ListCertificatesAsync, static certificate => certificate.Key, cancellation);

    private static async Task<List<T>> AllAsync<T>(
        string name, Func<MqttQuery, Task<MqttPage<T>>> list, Func<T, string> nameOf, CancellationToken cancellation)
    {
        var all = new List<T>();
        MqttPage<T> page;
        do
        {
            page = await list(new MqttQuery { Name = name, After = all.Count == 0 ? "" : nameOf(all[^1]) }).WaitAsync(cancellation);
            all.AddRange(page.Items);
        }
        while (page.More && page.Items.Length > 0);
        return all;
    }
}
