namespace EdgeOrleans.Modules;

/// <summary>A module of a node or cloud, built in or the user's own. The host starts modules in order and stops them in reverse.</summary>
/// <remarks>
/// A user's module is a public class with this interface in an assembly of its own, with a constructor that takes what it needs
/// from the host (<see cref="Beehive.IMessageContext"/>, a logger …). Before <see cref="StartAsync"/> the host has opened its queue
/// and put it into its group; after <see cref="StopAsync"/> it drains the queue.
/// </remarks>
public interface IModule
{
    /// <summary>The module's name, unique on the node: letters, digits and <c>-</c>.</summary>
    string Name { get; }

    /// <summary>The group it joins: one of <see cref="Beehive.Groups"/>; empty for a module that gets no messages.</summary>
    string Group { get; }

    /// <summary>Starts the module and returns when it works. An exception marks it as failed; the others still start.</summary>
    Task StartAsync(CancellationToken cancellation);

    /// <summary>Ends the module's own work. It must end when the token is cancelled.</summary>
    Task StopAsync(CancellationToken cancellation);
}
