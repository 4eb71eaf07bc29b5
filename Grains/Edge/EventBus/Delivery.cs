namespace EdgeOrleans.Edge.EventBus;

/// <summary>How far a delivery is.</summary>
internal enum DeliveryState
{
    /// <summary>It waits until it is on disk.</summary>
    Held,

    /// <summary>It waits for its turn.</summary>
    Waiting,

    /// <summary>It was sent, and the client has not said that it has it.</summary>
    Sent,

    /// <summary>QoS 2: the client has it, and that is on its way to the disk.</summary>
    Releasing,

    /// <summary>QoS 2: the client has it, and may forget its identifier.</summary>
    Released,

    /// <summary>It is over.</summary>
    Gone,
}

/// <summary>One message for one session, with QoS 1 or 2.</summary>
internal sealed class Delivery
{
    public Delivery() => Node = new LinkedListNode<Delivery>(this);

    public required Session Session { get; init; }

    public required MqttMessage Message { get; init; }

    public required int Qos { get; init; }

    public required bool Retain { get; init; }

    public required uint[] Identifiers { get; init; }

    /// <summary>Its packet identifier. It has it from the beginning, so that it is the same after a restart.</summary>
    public required ushort Id { get; init; }

    /// <summary>Its place in the session's order.</summary>
    public required long Place { get; init; }

    /// <summary>Whether it has a row.</summary>
    public bool IsStored { get; init; }

    public DeliveryState State { get; set; }

    /// <summary>Whether it may have been sent before.</summary>
    public bool Dup { get; set; }

    public LinkedListNode<Delivery> Node { get; }
}

/// <summary>What one publish changes on disk: all of it, or nothing.</summary>
/// <param name="Message">The message.</param>
internal sealed record MqttChange(MqttMessage Message)
{
    public List<Delivery> Deliveries { get; } = [];

    /// <summary>Those that wait for the commit without a row of their own.</summary>
    public List<Delivery> Held { get; } = [];

    /// <summary>Whether the message is the retained one of its topic, or ends the one that is.</summary>
    public bool Retains { get; set; }

    /// <summary>What goes to the cloud with it.</summary>
    public Upload? Upload { get; init; }

    /// <summary>The session that published it with QoS 2, and its identifier there.</summary>
    public (Session Session, ushort Id)? Received { get; set; }

    /// <summary>The number of the last will that it was; 0 for any other message.</summary>
    public long Will { get; set; }
}
