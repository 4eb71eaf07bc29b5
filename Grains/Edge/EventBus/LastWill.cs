using EdgeOrleans.Edge.EventBus.Access;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>What is published when a client is lost.</summary>
/// <param name="Message">The message.</param>
/// <param name="Delay">How long to wait for the client to come back, in seconds.</param>
/// <param name="Expiry">The message's expiry interval, in seconds; 0 for none.</param>
internal sealed record LastWill(MqttMessage Message, uint Delay, uint Expiry)
{
    /// <summary>Its number on disk.</summary>
    public required long Number { get; init; }

    /// <summary>Who has left it; null when nobody asked.</summary>
    public AccessIdentity? Identity { get; init; }

    /// <summary>Whether a password has said who that is.</summary>
    public bool IsByPassword { get; init; }

    /// <summary>When it is due, in Unix milliseconds; null while nobody is lost.</summary>
    public long? Due { get; init; }
}

/// <summary>What a CONNECT changes of its client's wills.</summary>
/// <param name="New">The one that it brings; null for none.</param>
/// <param name="Over">The one that is not to be published any more; null for none.</param>
internal readonly record struct WillTurn(LastWill? New, LastWill? Over);
