namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class TopicFiltersTests
{
    [Theory]
    [InlineData("a/#", "a/#", true)]
    [InlineData("#", "a/#", true)]
    [InlineData("a/+", "a/#", false)]
    [InlineData("+/#", "a/#", true)]
    [InlineData("+/+/#", "a/#", false)]
    [InlineData("a/+/#", "a/#", false)]
    [InlineData("a", "a/#", false)]
    [InlineData("b/#", "a/#", false)]
    [InlineData("a/b/#", "a/#", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "a/+", true)]
    [InlineData("a/#", "a/+/b", true)]
    [InlineData("a/#", "a/+/#", true)]
    [InlineData("a/#", "a/b/#", true)]
    [InlineData("a/#", "+", false)]
    [InlineData("a/#", "+/#", false)]
    [InlineData("a/#", "+/b", false)]
    [InlineData("a/#", "ab", false)]
    [InlineData("a/#", "a/", true)]
    [InlineData("a/#", "/a", false)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a/+", true)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("a/+", "a/+/#", false)]
    [InlineData("a/+", "+/b", false)]
    [InlineData("a/+/c", "a/b/c", true)]
    [InlineData("a/+/c", "a/+/c", true)]
    [InlineData("a/+/c", "a/b/+", false)]
    [InlineData("a/+/c", "a/+/+", false)]
    [InlineData("a/+/c", "a/b/c/d", false)]
    [InlineData("a/+/#", "a/b", true)]
    [InlineData("a/+/#", "a/+", true)]
    [InlineData("a/+/#", "a/b/c/d", true)]
    [InlineData("a/+/#", "a", false)]
    [InlineData("+/b", "a/b", true)]
    [InlineData("+/b", "+/b", true)]
    [InlineData("+/b", "/b", true)]
    [InlineData("+/b", "b", false)]
    [InlineData("+/b", "#", false)]
    [InlineData("+", "a", true)]
    [InlineData("+", "+", true)]
    [InlineData("+", "#", false)]
    [InlineData("+", "a/b", false)]
    [InlineData("#", "#", true)]
    [InlineData("#", "+", true)]
    [InlineData("#", "+/#", true)]
    [InlineData("#", "+/+/b", true)]
    [InlineData("+/#", "#", true)]
    [InlineData("+/#", "+", true)]
    [InlineData("+/+/#", "#", false)]
    [InlineData("a", "a", true)]
    [InlineData("a", "A", false)]
    [InlineData("a", "+", false)]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/+", false)]
    [InlineData("#", "$hw/x", false)]
    [InlineData("#", "$hw/#", false)]
    [InlineData("#", "$", false)]
    [InlineData("+/#", "$hw/#", false)]
    [InlineData("+/x", "$hw/x", false)]
    [InlineData("+", "$hw", false)]
    [InlineData("$hw/#", "$hw/#", true)]
    [InlineData("$hw/#", "$hw/x", true)]
    [InlineData("$hw/#", "$hw", true)]
    [InlineData("$hw/#", "$hw/+/x", true)]
    [InlineData("$hw/#", "#", false)]
    [InlineData("$hw/#", "+/x", false)]
    [InlineData("$hw/+", "$hw/$x", true)]
    [InlineData("a/#", "a/$x", true)]
    [InlineData("a/+", "a/$x", true)]
    public void A_wish_is_inside_a_filter_or_not(string filter, string wish, bool isInside) =>
        Assert.Equal(isInside, TopicFilters.Contains(filter, wish));

    [Theory]
    [InlineData("a/#", "a/b", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "+", true)]
    [InlineData("a/#", "+/b", true)]
    [InlineData("a/#", "b/#", false)]
    [InlineData("a/+", "+/b", true)]
    [InlineData("a/+", "a/#", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+/c", "a/b/+", true)]
    [InlineData("a/+/c", "a/b/d", false)]
    [InlineData("a/b", "a/b/#", true)]
    [InlineData("a/b", "a/b/+", false)]
    [InlineData("#", "$hw/x", false)]
    [InlineData("#", "$hw/#", false)]
    [InlineData("+/x", "$hw/x", false)]
    [InlineData("#", "#", true)]
    [InlineData("$hw/+", "$hw/x", true)]
    public void Filters_have_a_topic_in_common_or_not(string one, string other, bool have)
    {
        Assert.Equal(have, TopicFilters.Overlaps(one, other));
        Assert.Equal(have, TopicFilters.Overlaps(other, one));
    }

    // Every filter of up to three levels against every other, by what they say of every topic of up to four levels. One word that is in no
    // filter stands for all words that are in none. The topic without a character is one here, as '/#' would stand for it.
    [Fact]
    public void Inside_and_in_common_mean_what_the_topics_say()
    {
        var topics = Texts(["a", "b", "", "$x", "other"], 4).ToArray();
        var filters = Texts(["a", "", "$x", "+", "#"], 3).Where(f => TopicFilters.IsFilter(f)).ToArray();
        var stands = filters.ToDictionary(f => f, f => Array.ConvertAll(topics, t => SaysMqtt(f, t)));

        var wrong =
            from filter in filters
            from wish in filters
            let both = stands[filter].Zip(stands[wish]).ToArray()
            where TopicFilters.Contains(filter, wish) != Array.TrueForAll(both, t => t.First || !t.Second)
                || TopicFilters.Overlaps(filter, wish) != Array.Exists(both, t => t.First && t.Second)
            select $"{filter} and {wish}";
        var wrongTopics =
            from filter in filters
            from topic in topics.Select((text, i) => (text, i))
            where TopicFilters.Matches(filter, topic.text) != stands[filter][topic.i]
            select $"{filter} and {topic.text}";

        Assert.True(filters.Length > 80, "there are filters");
        Assert.Empty(wrong);
        Assert.Empty(wrongTopics);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("+", true)]
    [InlineData("#", true)]
    [InlineData("/", true)]
    [InlineData("a/+/b/#", true)]
    [InlineData("+/+", true)]
    [InlineData("", false)]
    [InlineData("a+", false)]
    [InlineData("+a", false)]
    [InlineData("a/b#", false)]
    [InlineData("#/a", false)]
    [InlineData("a/#/b", false)]
    [InlineData("##", false)]
    [InlineData("a\0", false)]
    public void Text_is_a_filter_or_not(string text, bool isFilter) => Assert.Equal(isFilter, TopicFilters.IsFilter(text));

    /// <summary>What MQTT says in words, level by level, without a thought of speed.</summary>
    internal static bool SaysMqtt(string filter, string topic)
    {
        if (topic.StartsWith('$') && (filter.StartsWith('+') || filter.StartsWith('#')))
        {
            return false;
        }

        return Levels(filter.Split('/'), topic.Split('/'));

        static bool Levels(ReadOnlySpan<string> filter, ReadOnlySpan<string> topic)
        {
            if (filter.IsEmpty)
            {
                return topic.IsEmpty;
            }

            return filter[0] == "#" || (!topic.IsEmpty && (filter[0] == "+" || filter[0] == topic[0]) && Levels(filter[1..], topic[1..]));
        }
    }

    internal static IEnumerable<string> Texts(string[] words, int levels) =>
        levels == 1 ? words : words.Concat(from rest in Texts(words, levels - 1) from word in words select $"{word}/{rest}").Distinct();
}
