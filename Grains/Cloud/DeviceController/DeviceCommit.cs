using EdgeOrleans.DbManager;
using EdgeOrleans.Link;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Cloud.DeviceController;

/// <summary>The rows that travel with a device's record: its line in the registry, and what its nodes are to be told.</summary>
/// <param name="Id">The device's id.</param>
/// <param name="Before">The record that is replaced.</param>
/// <param name="Reissues">Whether expected values go down that did not before, or under another version.</param>
/// <param name="Room">Registry, outbox and clock.</param>
internal sealed record DeviceCommit(string Id, DeviceRecord Before, bool Reissues, DeviceRoom Room)
{
    public void Write(DbSession db, DeviceRecord after)
    {
        WriteLine(db, after);
        var left = Before.Node.Length > 0 && (after.Head is null || Before.Node != after.Node);
        if (left)
        {
            Room.Mark(db, Before.Node, OutboxClasses.Membership, Id);
        }

        if (after.Node.Length > 0 && (left || Before.Head is null || Before.Node != after.Node || Before.Description != after.Description))
        {
            Room.Mark(db, after.Node, OutboxClasses.Membership, Id);
        }

        MarkModels(db, after);
        MarkObjects(db, after, left);
        MarkDesired(db, after, left);
    }

    private void WriteLine(DbSession db, DeviceRecord after)
    {
        if (after.Head is null)
        {
            Room.Index.Remove(db, ResourceKinds.Device, Id, Room.Time.GetUtcNow());
        }
        else if (Before.Head is null || after.Line(Id) != Before.Line(Id))
        {
            Room.Index.Write(db, after.Line(Id));
        }
    }

    // A node has a model while it has a device of it: only the registry knows of the others.
    private void MarkModels(DbSession db, DeviceRecord after)
    {
        if (Before.Node == after.Node && Before.Model == after.Model)
        {
            return;
        }

        if (Before.Node.Length > 0 && Before.Model.Length > 0 && Room.Index.DeviceOf(db, Before.Model, Before.Node, Id) is null)
        {
            Room.Mark(db, Before.Node, OutboxClasses.Document, $"{ResourceKinds.DeviceModel}/{Before.Model}");
        }

        if (after.Node.Length > 0 && after.Model.Length > 0 && Room.Index.DeviceOf(db, after.Model, after.Node, Id) is null)
        {
            Room.Mark(db, after.Node, OutboxClasses.Document, $"{ResourceKinds.DeviceModel}/{after.Model}");
        }
    }

    private void MarkObjects(DbSession db, DeviceRecord after, bool left)
    {
        if (left)
        {
            Room.Mark(db, Before.Node, OutboxClasses.Document, $"{ResourceKinds.Device}/{Id}");
        }

        if (after.Node.Length > 0 && after.Head is { } head && (Before.Node != after.Node || Before.Head?.Version != head.Version))
        {
            Room.Mark(db, after.Node, OutboxClasses.Document, $"{ResourceKinds.Device}/{Id}");
        }
    }

    private void MarkDesired(DbSession db, DeviceRecord after, bool left)
    {
        if (left)
        {
            Room.Outbox.EndWaiting(db, Before.Node, OutboxClasses.Desired, Id, after.Head is null ? "device-removed" : "device-moved");
        }

        if (after.Node.Length == 0)
        {
            return;
        }

        var isPending = after.Pending.Any();
        if (!isPending && Before.Node == after.Node && Before.Pending.Any())
        {
            // Nothing is left of it because the node has it, or because nobody wants it any more.
            var withdrawn = Before.Pending.Any(p => after.Twin.GetValueOrDefault(p.Name)?.Desired is null);
            Room.Outbox.EndWaiting(db, after.Node, OutboxClasses.Desired, Id, withdrawn ? "withdrawn" : null);
        }
        else if (isPending && (Reissues || Before.Node != after.Node))
        {
            Room.Mark(db, after.Node, OutboxClasses.Desired, Id);
        }
    }
}
