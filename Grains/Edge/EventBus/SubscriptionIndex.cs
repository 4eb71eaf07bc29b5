using System.Collections;
using MQTTnet.Server;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>One client's wish for a topic.</summary>
internal sealed record Subscription(string ClientId, string Filter, int Qos, MqttSessionStatus Session, uint Identifier, bool NoLocal = false);

/// <summary>
/// Who has subscribed to what. The broker's own search visits every session for every message; this one looks a topic up, so the
/// cost of an answer does not grow with the number of clients.
/// </summary>
internal sealed class SubscriptionIndex
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<string, Subscription>> _exact = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Client, string Filter), Subscription> _wildcards = [];
    private readonly Dictionary<string, HashSet<string>> _clients = new(StringComparer.Ordinal);
    private volatile int _version = 1;

    /// <summary>Rises with every change, so that what was found can be kept until then.</summary>
    public int Version => _version;

    public void Add(Subscription subscription)
    {
        lock (_gate)
        {
            if (!_clients.TryGetValue(subscription.ClientId, out var filters))
            {
                _clients[subscription.ClientId] = filters = new(StringComparer.Ordinal);
            }

            filters.Add(subscription.Filter);
            if (HasWildcard(subscription.Filter))
            {
                _wildcards[(subscription.ClientId, subscription.Filter)] = subscription;
            }
            else
            {
                if (!_exact.TryGetValue(subscription.Filter, out var clients))
                {
                    _exact[subscription.Filter] = clients = new(StringComparer.Ordinal);
                }

                clients[subscription.ClientId] = subscription;
            }

            _version++;
        }
    }

    public void Remove(string clientId, string filter)
    {
        lock (_gate)
        {
            if (_clients.TryGetValue(clientId, out var filters) && filters.Remove(filter))
            {
                Take(clientId, filter);
                _version++;
            }
        }
    }

    /// <summary>Forgets what a client wished for.</summary>
    /// <param name="clientId">The client.</param>
    /// <param name="session">Only what belongs to this session, by its items: the client may have a new one already. Null: everything.</param>
    public void RemoveClient(string clientId, IDictionary? session = null)
    {
        lock (_gate)
        {
            if (!_clients.TryGetValue(clientId, out var filters))
            {
                return;
            }

            foreach (var filter in filters.ToArray())
            {
                if (session is null || ReferenceEquals(Find(clientId, filter)?.Session.Items, session))
                {
                    filters.Remove(filter);
                    Take(clientId, filter);
                }
            }

            if (filters.Count == 0)
            {
                _clients.Remove(clientId);
            }

            _version++;
        }
    }

    /// <summary>The subscriptions that a topic matches, one a client: the one with the highest QoS.</summary>
    public Subscription[] Match(string topic)
    {
        lock (_gate)
        {
            var exact = _exact.GetValueOrDefault(topic);
            if (_wildcards.Count == 0)
            {
                return exact is null ? [] : [.. exact.Values];
            }

            var found = exact is null ? new(StringComparer.Ordinal) : new Dictionary<string, Subscription>(exact, StringComparer.Ordinal);
            foreach (var wildcard in _wildcards.Values)
            {
                if (Matches(topic, wildcard.Filter) && (!found.TryGetValue(wildcard.ClientId, out var other) || other.Qos < wildcard.Qos))
                {
                    found[wildcard.ClientId] = wildcard;
                }
            }

            return [.. found.Values];
        }
    }

    /// <summary>MQTT's rule for a topic name and a filter; a wildcard at the first level does not match a topic that begins with <c>$</c>.</summary>
    internal static bool Matches(ReadOnlySpan<char> topic, ReadOnlySpan<char> filter)
    {
        if (topic is ['$', ..] && filter is ['#' or '+', ..])
        {
            return false;
        }

        while (true)
        {
            var filterEnd = filter.IndexOf('/');
            var level = filterEnd < 0 ? filter : filter[..filterEnd];
            if (level is "#")
            {
                return true;
            }

            var topicEnd = topic.IndexOf('/');
            var name = topicEnd < 0 ? topic : topic[..topicEnd];
            if (level is not "+" && !level.SequenceEqual(name))
            {
                return false;
            }

            if (topicEnd < 0)
            {
                return filterEnd < 0 || filter[filterEnd..] is "/#";
            }

            if (filterEnd < 0)
            {
                return false;
            }

            topic = topic[(topicEnd + 1)..];
            filter = filter[(filterEnd + 1)..];
        }
    }

    private static bool HasWildcard(string filter) => filter.AsSpan().IndexOfAny('+', '#') >= 0;

    private Subscription? Find(string clientId, string filter) =>
        _wildcards.GetValueOrDefault((clientId, filter)) ?? _exact.GetValueOrDefault(filter)?.GetValueOrDefault(clientId);

    private void Take(string clientId, string filter)
    {
        _wildcards.Remove((clientId, filter));
        if (_exact.TryGetValue(filter, out var clients) && clients.Remove(clientId) && clients.Count == 0)
        {
            _exact.Remove(filter);
        }
    }
}
