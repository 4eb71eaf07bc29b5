using System.CommandLine;
using EdgeOrleans.Resources;

namespace EdgeOrleans.Client.Commands;

/// <summary>The options by which lists of a cloud are narrowed.</summary>
internal sealed class Selection
{
    public Option<string> Selector { get; } = new("--selector", "-l")
    {
        Description = "Only those with these labels: a=b, a!=b, 'a in (b,c)', 'a notin (b,c)', a, !a, with commas between. Of a cloud.",
        HelpName = "LABELS",
    };

    public Option<string> Namespace { get; } = new("--namespace", "-n") { Description = "Only those of this namespace. Of a cloud.", HelpName = "NAMESPACE" };

    public Option<string> Node { get; } = new("--node") { Description = "Only the devices of this node. Of a cloud.", HelpName = "NODE" };

    /// <summary>Puts the options that a kind has onto a command.</summary>
    public void AddTo(Command command, string kind)
    {
        command.Add(Selector);
        if (kind != ResourceKinds.Node)
        {
            command.Add(Namespace);
        }

        if (kind == ResourceKinds.Device)
        {
            command.Add(Node);
        }
    }

    /// <summary>Whether anything is narrowed.</summary>
    public bool IsGiven(ParseResult parsed) => Query(parsed, "") is { Selector: not "" } or { Namespace: not "" } or { Node: not "" };

    public ResourceQuery Query(ParseResult parsed, string kind) => new()
    {
        Kind = kind,
        Selector = parsed.GetValue(Selector) ?? "",
        Namespace = parsed.GetValue(Namespace) ?? "",
        Node = parsed.GetValue(Node) ?? "",
    };
}
