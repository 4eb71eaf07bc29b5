using System.Collections.Immutable;

namespace EdgeOrleans.Cloud.Registry;

/// <summary>One thing that a selector wants of the labels of a resource.</summary>
/// <param name="Name">The label's name.</param>
/// <param name="Values">The values that are meant; null for any.</param>
/// <param name="IsWanted">Whether the resource has such a label, or has none.</param>
internal sealed record LabelRequirement(string Name, ImmutableArray<string>? Values, bool IsWanted);

/// <summary>Kubernetes' label selectors: <c>a=b</c>, <c>a==b</c>, <c>a!=b</c>, <c>a in (b,c)</c>, <c>a notin (b,c)</c>, <c>a</c>, <c>!a</c>, with commas between.</summary>
internal static class LabelSelector
{
    public const int MaxLength = 4_096;
    public const int MaxRequirements = 16;

    private const string Forms = "a=b, a!=b, 'a in (b,c)', 'a notin (b,c)', a, !a, with commas between";

    /// <summary>What a selector wants, the wanted ones first; nothing for an empty one.</summary>
    /// <exception cref="RefusedException">400 where it is wrong and what would be right.</exception>
    public static ImmutableArray<LabelRequirement> Parse(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new RefusedException(400, $"the selector has {text.Length} characters; at most {MaxLength} are read");
        }

        var cursor = new Cursor(text);
        var requirements = ImmutableArray.CreateBuilder<LabelRequirement>();
        if (cursor.IsAtEnd)
        {
            return [];
        }

        do
        {
            requirements.Add(ReadRequirement(ref cursor));
        }
        while (cursor.Take(','));

        if (!cursor.IsAtEnd)
        {
            throw cursor.Wrong("a comma or the end");
        }

        return requirements.Count <= MaxRequirements
            ? [.. requirements.Where(r => r.IsWanted), .. requirements.Where(r => !r.IsWanted)]
            : throw new RefusedException(400, $"the selector has {requirements.Count} requirements; at most {MaxRequirements} are taken");
    }

    /// <summary>Whether labels are what requirements want.</summary>
    public static bool Matches(ImmutableArray<LabelRequirement> requirements, IReadOnlyDictionary<string, string> labels) =>
        requirements.All(r => (labels.TryGetValue(r.Name, out var value) && (r.Values is not { } values || values.Contains(value))) == r.IsWanted);

    private static LabelRequirement ReadRequirement(ref Cursor cursor)
    {
        if (cursor.Take('!'))
        {
            return new LabelRequirement(ReadName(ref cursor), null, IsWanted: false);
        }

        var name = ReadName(ref cursor);
        if (cursor.Take("!="))
        {
            return new LabelRequirement(name, [ReadValue(ref cursor)], IsWanted: false);
        }

        if (cursor.Take("==") || cursor.Take('='))
        {
            return new LabelRequirement(name, [ReadValue(ref cursor)], IsWanted: true);
        }

        if (cursor.IsAtEnd || cursor.IsAt(','))
        {
            return new LabelRequirement(name, null, IsWanted: true);
        }

        return cursor.Word() switch
        {
            "in" => new LabelRequirement(name, ReadSet(ref cursor), IsWanted: true),
            "notin" => new LabelRequirement(name, ReadSet(ref cursor), IsWanted: false),
            _ => throw cursor.Wrong("=, !=, in, notin, a comma or the end"),
        };
    }

    private static ImmutableArray<string> ReadSet(ref Cursor cursor)
    {
        cursor.Drop();
        if (!cursor.Take('('))
        {
            throw cursor.Wrong("(");
        }

        var values = ImmutableArray.CreateBuilder<string>();
        do
        {
            values.Add(ReadValue(ref cursor));
        }
        while (cursor.Take(','));

        return cursor.Take(')') ? values.ToImmutable() : throw cursor.Wrong("a comma or )");
    }

    private static string ReadName(ref Cursor cursor)
    {
        var name = cursor.Word();
        if (LabelRules.WhyNoName(name) is { } reason)
        {
            throw name.Length == 0 ? cursor.Wrong("the name of a label") : new RefusedException(400, $"the selector names '{name}': {reason}");
        }

        cursor.Drop();
        return name;
    }

    private static string ReadValue(ref Cursor cursor)
    {
        var value = cursor.Word();
        if (LabelRules.WhyNoValue(value) is { } reason)
        {
            throw new RefusedException(400, $"the selector has the value '{value}': {reason}");
        }

        cursor.Drop();
        return value;
    }

    private ref struct Cursor(string text)
    {
        private int _at;
        private int _end;

        public bool IsAtEnd
        {
            get
            {
                Skip();
                return _at == text.Length;
            }
        }

        public bool IsAt(char c)
        {
            Skip();
            return _at < text.Length && text[_at] == c;
        }

        public bool Take(char c)
        {
            if (!IsAt(c))
            {
                return false;
            }

            _at++;
            return true;
        }

        public bool Take(string sign)
        {
            Skip();
            if (!text.AsSpan(_at).StartsWith(sign, StringComparison.Ordinal))
            {
                return false;
            }

            _at += sign.Length;
            return true;
        }

        /// <summary>What stands here up to a sign or blank; it is still to be read until it is dropped.</summary>
        public string Word()
        {
            Skip();
            _end = _at;
            while (_end < text.Length && !char.IsWhiteSpace(text[_end]) && text[_end] is not (',' or '(' or ')' or '=' or '!'))
            {
                _end++;
            }

            return text[_at.._end];
        }

        public void Drop() => _at = _end;

        public readonly RefusedException Wrong(string wanted)
        {
            var rest = _at == text.Length ? "its end" : $"'{text[_at..Math.Min(text.Length, _at + 20)]}'";
            return new RefusedException(400, $"the selector has {rest} where {wanted} belongs; it is made of {Forms}");
        }

        private void Skip()
        {
            while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }
        }
    }
}
