namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// Filters with wildcards, as a tree of their levels: a topic goes down by its own level, by <c>+</c> and by <c>#</c>, and passes by all
/// others. Levels at which filters do not part lie together in one node, so there are two nodes a filter at the most, however deep the
/// filters are; a filter that goes takes its nodes with it. Used by one thread at a time.
/// </summary>
internal sealed class FilterTree
{
    private readonly Node _root = new("", parent: null);
    private readonly Stack<(Node Node, int Begin)> _open = new();

    /// <summary>How many nodes there are.</summary>
    public int Nodes { get; private set; }

    /// <summary>Adds a wish, or puts it in the place of the one that its session had for the same filter.</summary>
    public void Add(Subscription subscription)
    {
        var node = NodeOf(subscription.Filter);
        (node.Wishes ??= [])[subscription.Session] = subscription;
    }

    /// <summary>Removes a wish, if it is there.</summary>
    public void Remove(Session session, string filter)
    {
        if (Find(filter) is not { Wishes: { } wishes } node || !wishes.Remove(session))
        {
            return;
        }

        wishes.Shrink();
        if (wishes.Count == 0)
        {
            node.Wishes = null;
            Tidy(node);
        }
    }

    /// <summary>Adds the wishes of every filter that a topic matches, those of one filter together.</summary>
    public void Match(string topic, List<Dictionary<Session, Subscription>> found)
    {
        Open(_root, topic, begin: 0, wildcards: topic is not ['$', ..]);
        while (_open.TryPop(out var next))
        {
            var end = Behind(next.Node.Levels, topic, next.Begin);
            if (end > topic.Length)
            {
                Take(next.Node, found);
                Take(next.Node.Child("#"), found);
            }
            else if (end >= 0)
            {
                Open(next.Node, topic, end, wildcards: true);
            }
        }
    }

    /// <summary>Where the topic goes on behind these levels: beyond its end when it is over, -1 when it has others.</summary>
    private static int Behind(ReadOnlySpan<char> levels, ReadOnlySpan<char> topic, int begin)
    {
        foreach (var range in levels.Split('/'))
        {
            var level = levels[range];
            if (level is "#")
            {
                return topic.Length + 1;
            }

            if (begin > topic.Length)
            {
                return -1;
            }

            var name = First(topic[begin..]);
            if (level is not "+" && !level.SequenceEqual(name))
            {
                return -1;
            }

            begin += name.Length + 1;
        }

        return begin;
    }

    private static void Take(Node? node, List<Dictionary<Session, Subscription>> found)
    {
        if (node?.Wishes is { } wishes)
        {
            found.Add(wishes);
        }
    }

    private void Open(Node parent, ReadOnlySpan<char> topic, int begin, bool wildcards)
    {
        Open(parent.Child(First(topic[begin..])), begin);
        if (wildcards)
        {
            Open(parent.Child("+"), begin);
            Open(parent.Child("#"), begin);
        }
    }

    private void Open(Node? node, int begin)
    {
        if (node is not null)
        {
            _open.Push((node, begin));
        }
    }

    private Node NodeOf(ReadOnlySpan<char> rest)
    {
        var parent = _root;
        while (true)
        {
            if (parent.Child(First(rest)) is not { } node)
            {
                return New(rest.ToString(), parent);
            }

            var common = Common(node.Levels, rest);
            node = common < node.Levels.Length ? Split(node, common) : node;
            if (common == rest.Length)
            {
                return node;
            }

            parent = node;
            rest = rest[(common + 1)..];
        }
    }

    private Node? Find(ReadOnlySpan<char> rest)
    {
        for (var node = _root.Child(First(rest)); node is not null; node = node.Child(First(rest)))
        {
            var common = Common(node.Levels, rest);
            if (common < node.Levels.Length)
            {
                return null;
            }

            if (common == rest.Length)
            {
                return node;
            }

            rest = rest[(common + 1)..];
        }

        return null;
    }

    private Node New(string levels, Node parent)
    {
        Nodes++;
        var node = new Node(levels, parent);
        parent.Put(node);
        return node;
    }

    // The levels up to here get a node of their own, and the rest stays below it.
    private Node Split(Node node, int end)
    {
        var upper = New(node.Levels[..end], node.Parent!);
        node.Levels = node.Levels[(end + 1)..];
        node.Parent = upper;
        upper.Put(node);
        return upper;
    }

    // A node is there for its wishes or because ways part at it.
    private void Tidy(Node? node)
    {
        while (node is { Wishes: null, Parent: { } parent } && node.Only(out var child))
        {
            Nodes--;
            if (child is not null)
            {
                child.Levels = $"{node.Levels}/{child.Levels}";
                child.Parent = parent;
                parent.Put(child);
                return;
            }

            parent.Drop(node);
            node = parent;
        }
    }

    /// <summary>The first level of a text that has one at least.</summary>
    private static ReadOnlySpan<char> First(ReadOnlySpan<char> levels) => levels.IndexOf('/') is >= 0 and var end ? levels[..end] : levels;

    /// <summary>How many characters the levels have that both begin with. The first level is the same.</summary>
    private static int Common(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        var end = one.CommonPrefixLength(other);
        return IsEnd(one, end) && IsEnd(other, end) ? end : one[..end].LastIndexOf('/');
    }

    private static bool IsEnd(ReadOnlySpan<char> levels, int at) => at == levels.Length || levels[at] == '/';

    /// <summary>One level or several, with what hangs below by its first level.</summary>
    private sealed class Node(string levels, Node? parent)
    {
        private Dictionary<string, Node>? _children;

        public string Levels { get; set; } = levels;

        public Node? Parent { get; set; } = parent;

        public Dictionary<Session, Subscription>? Wishes { get; set; }

        public Node? Child(ReadOnlySpan<char> first) =>
            _children is not null && _children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(first, out var child) ? child : null;

        /// <summary>Hangs a node below this one, in the place of the one with the same first level.</summary>
        public void Put(Node child) => (_children ??= new(StringComparer.Ordinal))[First(child.Levels).ToString()] = child;

        public void Drop(Node child)
        {
            _children!.Remove(First(child.Levels).ToString());
            _children.Shrink();
            _children = _children.Count == 0 ? null : _children;
        }

        /// <summary>Whether ways do not part here.</summary>
        /// <param name="child">The only one below; null when there is none.</param>
        public bool Only(out Node? child)
        {
            child = _children?.Values.FirstOrDefault();
            return _children is null or { Count: 1 };
        }
    }
}
