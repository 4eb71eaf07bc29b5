namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class DefaultRulesTests
{
    private const string Device = "$hw/events/device/";
    private static readonly DefaultRules Rules = new();

    // A topic, and who may publish to it: the client of default/pump-1, of pump-1 (the same device), of plant/pump-1, of a user who is
    // called like no device, and one without a user.
    [Theory]
    [InlineData("plant/temperature", "yyyyy")]
    [InlineData("x/user/y", "yyyyy")]
    [InlineData("SYS/dis/upload_records", "yyyyy")]
    [InlineData("hw/events/device/default/pump-1/twin/update", "yyyyy")]
    [InlineData("/$hw/x", "yyyyy")]
    [InlineData("$hw/events/upload/x", "yyyy-")]
    [InlineData("$hw/events/upload", "yyyy-")]
    [InlineData("$hw/events/uploads", "-----")]
    [InlineData("$hw/events/device/default/pump-1/twin/get", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/twin/update", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/twin/cloud_updated", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/state/update", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/get", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/update", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/cloud_updated", "yy---")]
    [InlineData("$hw/events/device/pump-1/state/update", "yy---")]
    [InlineData("$hw/events/device/plant/pump-1/twin/update", "--y--")]
    [InlineData("$hw/events/device/plant/pump-1/state/update", "--y--")]
    [InlineData("$hw/events/device/default/pump-2/twin/update", "-----")]
    [InlineData("$hw/events/device/default/pump-11/twin/update", "-----")]
    [InlineData("$hw/events/device/default/pump-/twin/update", "-----")]
    [InlineData("$hw/events/device/pump-2/twin/update", "-----")]
    [InlineData("$hw/events/device/Pump-1/twin/update", "-----")]
    [InlineData("$hw/events/device/default/pump-1/twin/update/result", "-----")]
    [InlineData("$hw/events/device/default/pump-1/twin/update/delta", "-----")]
    [InlineData("$hw/events/device/default/pump-1/twin/update/document", "-----")]
    [InlineData("$hw/events/device/default/pump-1/twin/get/result", "-----")]
    [InlineData("$hw/events/device/default/pump-1/updated", "-----")]
    [InlineData("$hw/events/device/default/pump-1/twin", "-----")]
    [InlineData("$hw/events/device/default/pump-1/twin/other", "-----")]
    [InlineData("$hw/events/device/default/pump-1", "-----")]
    [InlineData("$hw/events/device/default/pump-1/", "-----")]
    [InlineData("$hw/events/device/default/twin/update", "-----")]
    [InlineData("$hw/events/device//pump-1/twin/update", "-----")]
    [InlineData("$hw/events/device/twin/update", "-----")]
    [InlineData("$hw/events/node/edge-1/membership/get", "-----")]
    [InlineData("$hw/events/node/edge-1/membership/updated", "-----")]
    [InlineData("$hw/events/node/edge-1/authInfo/get", "-----")]
    [InlineData("$SYS/broker/x", "-----")]
    [InlineData("$share/g/a", "-----")]
    [InlineData("$", "-----")]
    [InlineData("$hw", "-----")]
    public void A_client_may_publish_free_topics_and_its_own_devices_requests(string topic, string who) => Check(topic, who, Rules.MayPublish);

    [Theory]
    [InlineData("#", "yyyyy")]
    [InlineData("+/+", "yyyyy")]
    [InlineData("plant/#", "yyyyy")]
    [InlineData("+/user/#", "yyyyy")]
    [InlineData("+/events/device/#", "yyyyy")]
    [InlineData("$hw/events/device/default/pump-1/#", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/+/+", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/twin/#", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/twin/update/result", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/twin/update/delta", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/twin/+/result", "yy---")]
    [InlineData("$hw/events/device/default/pump-1/updated", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/update/#", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/update/delta", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/update/document", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/get/result", "yy---")]
    [InlineData("$hw/events/device/pump-1/twin/+/result", "yy---")]
    [InlineData("$hw/events/device/pump-1/updated", "yy---")]
    [InlineData("$hw/events/device/pump-1/#", "-----")]
    [InlineData("$hw/events/device/pump-1/twin/#", "-----")]
    [InlineData("$hw/events/device/pump-1/+/+/+", "-----")]
    [InlineData("$hw/events/device/pump-1/twin/+/+", "-----")]
    [InlineData("$hw/events/device/plant/pump-1/#", "--y--")]
    [InlineData("$hw/events/device/plant/pump-1/twin/update/delta", "--y--")]
    [InlineData("$hw/events/device/plant/+/twin/update/delta", "-----")]
    [InlineData("$hw/events/device/+/pump-1/twin/update/delta", "-----")]
    [InlineData("$hw/events/device/+/+/twin/update/delta", "-----")]
    [InlineData("$hw/events/device/+/twin/update/delta", "-----")]
    [InlineData("$hw/events/device/default/+/#", "-----")]
    [InlineData("$hw/events/device/default/#", "-----")]
    [InlineData("$hw/events/device/default/pump-2/#", "-----")]
    [InlineData("$hw/events/device/default/pump-11/#", "-----")]
    [InlineData("$hw/events/device/#", "-----")]
    [InlineData("$hw/events/+/default/pump-1/updated", "-----")]
    [InlineData("$hw/+/device/default/pump-1/updated", "-----")]
    [InlineData("$hw/events/#", "-----")]
    [InlineData("$hw/#", "-----")]
    [InlineData("$hw/events/upload/#", "-----")]
    [InlineData("$hw/events/node/edge-1/membership/#", "-----")]
    [InlineData("$hw/events/node/+/membership/updated", "-----")]
    [InlineData("$SYS/#", "-----")]
    [InlineData("$share/g/plant/#", "-----")]
    [InlineData("$share/g/$hw/events/device/default/pump-1/#", "-----")]
    public void A_client_may_hear_free_topics_and_its_own_device(string filter, string who) => Check(filter, who, Rules.MaySubscribe);

    [Fact]
    public void A_device_called_like_a_part_of_a_topic_hears_no_other()
    {
        // $hw/events/device/plant/twin/update/delta is of the device default/plant, without its namespace.
        var twin = Acl.User("plant/twin");

        Assert.False(Rules.MaySubscribe(twin, "$hw/events/device/plant/twin/update/delta"));
        Assert.False(Rules.MaySubscribe(twin, "$hw/events/device/plant/twin/#"));
        Assert.True(Rules.MaySubscribe(twin, "$hw/events/device/plant/twin/twin/#"));
        Assert.True(Rules.MaySubscribe(twin, "$hw/events/device/plant/twin/updated"));
        Assert.False(Rules.MayPublish(twin, "$hw/events/device/plant/twin/update"));
        Assert.True(Rules.MayPublish(twin, "$hw/events/device/plant/twin/twin/update"));
        Assert.False(Rules.MaySubscribe(Acl.User("plant"), "$hw/events/device/plant/twin/twin/update/delta"));
    }

    [Theory]
    [InlineData("#")]
    [InlineData("default/#")]
    [InlineData("+")]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a/b/c")]
    [InlineData("-x")]
    public void A_user_who_is_called_like_no_device_has_none(string user)
    {
        var identity = Acl.User(user);

        Assert.False(Rules.MaySubscribe(identity, $"{Device}{user}/#"));
        Assert.False(Rules.MaySubscribe(identity, $"{Device}default/{user}/#"));
        Assert.False(Rules.MaySubscribe(identity, $"{Device}default/a/#"));
        Assert.False(Rules.MayPublish(identity, $"{Device}{user}/twin/update"));
        Assert.False(Rules.MayPublish(identity, $"{Device}default/a/twin/update"));
    }

    [Fact]
    public void The_client_id_gives_nothing() =>
        Assert.False(Rules.MayPublish(new AccessIdentity("default/pump-1", null, IsAnonymous: true), "$hw/events/device/default/pump-1/twin/update"));

    // Whatever names devices have: no granted wish stands for a topic that the node or a client uses for another device.
    [Fact]
    public void No_wish_that_is_granted_stands_for_a_topic_of_another_device()
    {
        string[] names = ["a", "twin", "state", "updated", "get", "default"];
        var devices = (from space in names from name in names select (Space: space, Name: name)).ToArray();
        var topics = devices.ToDictionary(d => d, d => TopicsOf(d.Space, d.Name).ToHashSet());
        var random = new Random(20_260_101);
        string[] words = [.. names, "update", "result", "delta", "document", "cloud_updated", "+", "+", "#", "#"];
        var granted = 0;
        foreach (var device in devices)
        {
            var identity = Acl.User($"{device.Space}/{device.Name}");
            var foreign = topics.Where(d => d.Key != device).SelectMany(d => d.Value).Except(topics[device]).ToArray();
            for (var i = 0; i < 300; i++)
            {
                var wish = Wish(random, device, words);
                if (!TopicFilters.IsFilter(wish) || !Rules.MaySubscribe(identity, wish))
                {
                    continue;
                }

                granted++;
                var heard = Array.Find(foreign, t => TopicFiltersTests.SaysMqtt(wish, t));
                Assert.True(heard is null, $"{device}: {wish} hears {heard}");
            }

            Assert.All(topics[device], t => Assert.True(Rules.MaySubscribe(identity, t), $"{device} hears {t}"));
        }

        Assert.True(granted > 1_000, "enough was granted to mean something");
    }

    private static string Wish(Random random, (string Space, string Name) device, string[] words)
    {
        var own = random.Next(3) switch { 0 => $"{device.Space}/{device.Name}/", 1 => $"{device.Name}/", _ => "" };
        return Device + own + string.Join('/', Enumerable.Range(0, 1 + random.Next(4)).Select(_ => words[random.Next(words.Length)]));
    }

    private static IEnumerable<string> TopicsOf(string space, string name)
    {
        string[] parts =
        [
            "twin/get", "twin/get/result", "twin/update", "twin/update/result", "twin/update/document", "twin/update/delta", "twin/cloud_updated",
            "twin/cloud_updated/result", "state/update", "state/update/result", "updated",
        ];
        var full = parts.Select(p => $"{Device}{space}/{name}/{p}");
        return space == "default" ? full.Concat(parts.Select(p => $"{Device}{name}/{p}")) : full;
    }

    private static void Check(string text, string who, Func<AccessIdentity, string, bool> may)
    {
        AccessIdentity[] clients =
            [Acl.User("default/pump-1"), Acl.User("pump-1"), Acl.User("plant/pump-1"), Acl.User("Anna Müller"), Acl.Nobody("pump-1")];

        Assert.Equal(who, string.Concat(clients.Select(c => may(c, text) ? 'y' : '-')));
    }
}
