namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// Reads a file of rules in the format of mosquitto: <c>user NAME</c>, <c>topic [read|write|readwrite|deny] FILTER</c> for that user,
/// <c>pattern [read|write|readwrite|deny] FILTER</c> for all, and comments behind a <c>#</c> at the beginning of a line.
/// </summary>
internal sealed class AclFile(string path)
{
    /// <summary>The most bytes of a file.</summary>
    public const int Largest = 1_024 * 1_024;

    /// <summary>The most rules in it.</summary>
    public const int Most = 10_000;

    /// <summary>The most characters of a filter.</summary>
    public const int LongestFilter = 1_024;

    private const string Right = "a line is 'user NAME', 'topic [read|write|readwrite|deny] FILTER' or 'pattern [read|write|readwrite|deny] FILTER'";

    public string Path => path;

    /// <summary>Reads the file.</summary>
    /// <exception cref="AccessFileException">It is missing, or a line of it is wrong.</exception>
    public AclRules Load() => Parse(TextFile.Read(path, Largest));

    /// <summary>Reads what the file holds.</summary>
    /// <inheritdoc cref="Load"/>
    public AclRules Parse(byte[] bytes)
    {
        var reading = new Reading(path);
        var lines = TextFile.Lines(path, bytes);
        for (var i = 0; i < lines.Length; i++)
        {
            reading.Take(lines[i].Trim(), i + 1);
        }

        return reading.Rules();
    }

    private sealed class Reading(string path)
    {
        private readonly List<AclRule> _anonymous = [];
        private readonly List<AclRule> _patterns = [];
        private readonly Dictionary<string, List<AclRule>> _users = new(StringComparer.Ordinal);
        private List<AclRule>? _ofUser;
        private int _count;

        public AclRules Rules() => new(_anonymous, _users, _patterns);

        public void Take(string line, int number)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                return;
            }

            var (word, rest) = FirstWord(line);
            switch (word)
            {
                case "user":
                    _ofUser = OfUser(rest, number);
                    break;
                case "topic":
                    (_ofUser ?? _anonymous).Add(Rule(rest, number, isPattern: false));
                    break;
                case "pattern":
                    _patterns.Add(Rule(rest, number, isPattern: true));
                    break;
                default:
                    throw Wrong(number, $"'{Short(word)}' begins no rule; {Right}");
            }

            if (++_count > Most)
            {
                throw Wrong(number, $"there are more than {Most:N0} rules");
            }
        }

        // A user who is named twice has the rules of both places.
        private List<AclRule> OfUser(string name, int number)
        {
            if (name.Length == 0)
            {
                throw Wrong(number, "'user' without a name; it is 'user NAME'");
            }

            if (UserName.Refuses(name, reserved: "") is { } reason)
            {
                throw Wrong(number, $"the name '{Short(name)}' {reason}");
            }

            return _users.TryGetValue(name, out var rules) ? rules : _users[name] = [];
        }

        private AclRule Rule(string rest, int number, bool isPattern)
        {
            var (word, filter) = FirstWord(rest);
            var access = filter.Length == 0 ? AclAccess.ReadWrite : Access(word, number);
            return new AclRule(access, Filter(filter.Length == 0 ? word : filter, number), isPattern);
        }

        private AclAccess Access(string word, int number) => word switch
        {
            "read" => AclAccess.Read,
            "write" => AclAccess.Write,
            "readwrite" => AclAccess.ReadWrite,
            "deny" => AclAccess.Deny,
            _ => throw Wrong(number, $"'{Short(word)}' is no access; it is read, write, readwrite or deny, and a filter with a space needs one before it"),
        };

        private string Filter(string filter, int number)
        {
            if (filter.Length is 0 or > LongestFilter)
            {
                throw Wrong(number, $"the topic has {filter.Length} characters; it has 1 to {LongestFilter:N0}");
            }

            return TopicFilters.IsFilter(filter)
                ? filter
                : throw Wrong(number, $"'{Short(filter)}' is no topic filter; '+' stands for a whole level, and '#' for all levels from its place on and comes last");
        }

        private AccessFileException Wrong(int number, string reason) => new(path, number, reason);

        private static (string Word, string After) FirstWord(string text)
        {
            var end = text.AsSpan().IndexOfAny(' ', '\t');
            return end < 0 ? (text, "") : (text[..end], text[end..].TrimStart());
        }

        private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";
    }
}
