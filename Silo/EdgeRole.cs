using EdgeOrleans.Hosting;

namespace EdgeOrleans;

/// <summary>The table of contents of a node: its modules in start order; reversed, it is the stop order.</summary>
public static class EdgeRole
{
    /// <summary>Puts the edge's rooms into a silo.</summary>
    public static ISiloBuilder AddEdgeRole(this ISiloBuilder silo) => silo
        .WithoutWing(Wings.Cloud);
}
