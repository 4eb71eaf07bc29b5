namespace EdgeOrleans.Beehive;

/// <summary>How a module sends and receives. KubeEdge's message context (reference 1.2): its meaning, without its faults.</summary>
/// <remarks>
/// Guarantees: messages of one sender to one address arrive in the order they were sent; nothing is dropped silently; everything
/// is bounded. A message is memory: what must survive a crash is stored before it is sent.
/// </remarks>
public interface IMessageContext
{
    /// <summary>Sends a message to a module or an entity, and returns when it is queued there.</summary>
    /// <exception cref="BeehiveFullException">The address has as many messages waiting as it may have.</exception>
    /// <exception cref="ModuleUnavailableException">The module is unknown, disabled, not built or stopped.</exception>
    ValueTask SendAsync(Address to, Message message, CancellationToken cancellation = default);

    /// <summary>Waits for the next message of a module that was added.</summary>
    /// <exception cref="ModuleUnavailableException">The module was not added, or was cleaned up and its queue is drained.</exception>
    ValueTask<Message> ReceiveAsync(string module, CancellationToken cancellation = default);

    /// <summary>Sends a question and waits for its answer.</summary>
    /// <param name="to">A module or an entity.</param>
    /// <param name="message">The question; <see cref="MessageHeader.Sync"/> is set on its way.</param>
    /// <param name="timeout">How long to wait; zero or less means 30 seconds, as in KubeEdge.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="BeehiveTimeoutException">No answer came in time; it names the address and the resource.</exception>
    /// <exception cref="ModuleUnavailableException">The module is unknown, disabled, not built or stopped.</exception>
    Task<Message> SendSyncAsync(Address to, Message message, TimeSpan timeout = default, CancellationToken cancellation = default);

    /// <summary>Gives the answer to a question, by its parent id. It completes who waits; it is no stream delivery.</summary>
    /// <returns>Whether somebody waited; an answer that nobody waits for any more is counted, not an error.</returns>
    ValueTask<bool> SendRespAsync(Message response, CancellationToken cancellation = default);

    /// <summary>Sends a message once to each module of a group, never to entities. An empty group is no error.</summary>
    /// <exception cref="BeehiveFullException">At least one member is full; the others have it.</exception>
    ValueTask SendToGroupAsync(string group, Message message, CancellationToken cancellation = default);

    /// <summary>Sends a question to each module of a group and waits for one answer of each.</summary>
    /// <exception cref="BeehiveTimeoutException">At least one member did not answer in time; it names those.</exception>
    Task<IReadOnlyList<Message>> SendToGroupSyncAsync(string group, Message message, TimeSpan timeout = default, CancellationToken cancellation = default);
}

/// <summary>How a module joins and leaves the beehive. KubeEdge's module context (reference 1.2).</summary>
public interface IModuleContext
{
    /// <summary>Opens the queue of a module. Adding a module that is there already is an error of the caller.</summary>
    ValueTask AddModuleAsync(string module, CancellationToken cancellation = default);

    /// <summary>Lets a module that was added listen in a group. A module may be in several.</summary>
    ValueTask AddModuleGroupAsync(string module, string group, CancellationToken cancellation = default);

    /// <summary>Takes a module out: nothing new reaches it, what is queued can still be received, then receiving ends with an error.</summary>
    /// <param name="module">The module's name.</param>
    /// <param name="drain">How long its queue may take to be read.</param>
    /// <param name="cancellation">Ends the waiting; what is still queued is then counted as lost and logged.</param>
    /// <returns>How many messages were still queued when the time was over.</returns>
    ValueTask<int> CleanupAsync(string module, TimeSpan drain, CancellationToken cancellation = default);
}
