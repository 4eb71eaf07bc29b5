using System.Collections.Immutable;
using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

public sealed class DeviceDocumentsTests
{
    private const string Model = """
        {"apiVersion":"devices.kubeedge.io/v1beta1","kind":"DeviceModel","metadata":{"name":"pump"},
         "spec":{"protocol":"modbus","properties":[{"name":"speed","type":"INT","accessMode":"ReadWrite","minimum":"0","maximum":"100","unit":"rpm"},
         {"name":"temp","type":"FLOAT","accessMode":"ReadOnly"}]}}
        """;

    private const string Device = """
        {"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"p","labels":{"description":"a pump"}},
         "spec":{"deviceModelRef":{"name":"pump"},"nodeName":"edge-node","protocol":{"protocolName":"modbus"},
         "properties":[{"name":"speed","desired":{"value":"5"},"collectCycle":1000}]}}
        """;

    [Theory]
    [InlineData("{}", "apiVersion: missing"), InlineData("[]", "$: "), InlineData("{bad", "$: no JSON")]
    [InlineData("""{"apiVersion":"v1","kind":"Device"}""", "apiVersion: 'v1'")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"a/b"},"spec":{}}""", "metadata.name: ")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"a"}}""", "spec: missing")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"a"},"spec":{"propertys":[]}}""", "spec.propertys: no such field")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device","metadata":{"name":"a"},"spec":{"properties":[{"name":"x","desired":{"value":5}}]}}""", "spec.properties[0].desired.value: it is a text")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"DeviceModel","metadata":{"name":"a"},"spec":{"properties":[{"name":"x","type":"int"}]}}""", "spec.properties[0].type: 'int'")]
    [InlineData("""{"apiVersion":"devices.kubeedge.io/v1beta1","kind":"DeviceModel","metadata":{"name":"a"},"spec":{"properties":[{"name":"x","type":"INT"},{"name":"x","type":"INT"}]}}""", "spec.properties[1].name: 'x' is there twice")]
    public void What_is_wrong_in_a_document_is_named_by_its_path(string json, string reason) =>
        Assert.StartsWith(reason, Assert.Throws<RefusedException>(() => DeviceDocuments.Read(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_has_no_effect_here_is_said_once_each() =>
        Assert.Equal(["spec.protocol has no effect on this node", "spec.properties[0].collectCycle has no effect on this node"], DeviceDocuments.Read(Device).Warnings);

    [Fact]
    public async Task A_document_makes_a_device_changes_it_and_is_unchanged_the_second_time()
    {
        await using var silo = await TwinSilo.StartAsync();

        var early = await silo.Membership.ApplyAsync(Device);
        var model = await silo.Membership.ApplyAsync(Model);
        var again = await silo.Membership.ApplyAsync(Device);
        var changed = await silo.Membership.ApplyAsync(Device.Replace("\"5\"", "\"6\"", StringComparison.Ordinal));

        Assert.Equal(("device/default/p", "created", "created", "unchanged", "configured"), (early.Resource, early.Outcome, model.Outcome, again.Outcome, changed.Outcome));
        Assert.Contains(early.Warnings, w => w.Contains("no device model default/pump yet", StringComparison.Ordinal));
        Assert.DoesNotContain(again.Warnings, w => w.Contains("model", StringComparison.Ordinal));
        var view = (await silo.Device("default/p").GetAsync())!;
        Assert.Equal(("6", "a pump", "default/pump"), (view.Twin["speed"].Expected!.Value, view.Description, view.Model));
        Assert.Equal(["speed", "temp"], Assert.Single(await silo.Membership.ListModelsAsync()).Properties);
    }

    [Fact]
    public async Task A_model_that_comes_later_or_changes_reaches_its_devices_and_is_there_after_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("edgeorleans-").FullName;
        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            await silo.Membership.ApplyAsync(Device);
            Assert.Equal(0, (await silo.UpdateAsync("default/p", """{"twin":{"speed":{"actual":{"value":"500"}}}}""")).Code);
            await silo.Membership.ApplyAsync(Model);
            Assert.Equal(400, (await silo.UpdateAsync("default/p", """{"twin":{"speed":{"actual":{"value":"500"}}}}""")).Code);
            await silo.Membership.ApplyAsync(Model.Replace("\"100\"", "\"1000\"", StringComparison.Ordinal));
            Assert.Equal(0, (await silo.UpdateAsync("default/p", """{"twin":{"speed":{"actual":{"value":"500"}}}}""")).Code);
        }

        await using (var silo = await TwinSilo.StartAsync(folder))
        {
            Assert.Equal(400, (await silo.UpdateAsync("default/p", """{"twin":{"speed":{"actual":{"value":"5000"}}}}""")).Code);
            var refused = await Assert.ThrowsAsync<RefusedException>(() =>
                silo.Device("default/p").SetExpectedAsync(ImmutableDictionary<string, string>.Empty.Add("temp", "1")));
            Assert.Equal(400, refused.Code);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_person_who_mistypes_a_property_is_told_the_model_s_and_a_device_may_report_more()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.Membership.ApplyAsync(Model);
        await silo.Membership.ApplyAsync(Device);

        var refused = await Assert.ThrowsAsync<RefusedException>(() =>
            silo.Device("default/p").SetExpectedAsync(ImmutableDictionary<string, string>.Empty.Add("sped", "1")));
        Assert.Contains("speed, temp", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await silo.UpdateAsync("default/p", """{"twin":{"extra":{"actual":{"value":"1"}}}}""")).Code);
    }

    [Fact]
    public async Task A_device_that_gives_up_its_model_is_free_of_it_at_once()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.Membership.ApplyAsync(Model);
        await silo.Membership.ApplyAsync(Device);

        await silo.Membership.ApplyAsync(Device.Replace("\"deviceModelRef\":{\"name\":\"pump\"},", "", StringComparison.Ordinal).Replace("\"5\"", "\"500\"", StringComparison.Ordinal));

        Assert.Equal("500", (await silo.Device("default/p").GetAsync())!.Twin["speed"].Expected!.Value);
    }

    [Fact]
    public async Task A_model_with_devices_stays_and_one_without_goes()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.Membership.ApplyAsync(Model);
        await silo.Membership.ApplyAsync(Device);

        Assert.Equal(409, (await Assert.ThrowsAsync<RefusedException>(() => silo.Membership.DeleteModelAsync("pump"))).Code);
        await silo.Membership.DeleteDeviceAsync("p");
        await silo.Membership.DeleteModelAsync("pump");

        Assert.Empty(await silo.Membership.ListModelsAsync());
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => silo.Membership.DeleteModelAsync("pump"))).Code);
        Assert.Equal(404, (await Assert.ThrowsAsync<RefusedException>(() => silo.Membership.DeleteDeviceAsync("p"))).Code);
    }

    [Fact]
    public async Task A_desired_value_that_the_model_refuses_makes_no_device()
    {
        await using var silo = await TwinSilo.StartAsync();
        await silo.Membership.ApplyAsync(Model);

        var refused = await Assert.ThrowsAsync<RefusedException>(() => silo.Membership.ApplyAsync(Device.Replace("\"5\"", "\"500\"", StringComparison.Ordinal)));

        Assert.Equal(400, refused.Code);
        Assert.Null(await silo.Device("default/p").GetAsync());
    }

    [Fact]
    public async Task A_node_with_a_cloud_takes_its_devices_from_there()
    {
        await using var silo = await TwinSilo.StartAsync(null, ("modules:edgeHub:websocket:server", "cloud:10000"));

        var refused = await Assert.ThrowsAsync<RefusedException>(() => silo.Membership.ApplyAsync(Device));

        Assert.Equal(409, refused.Code);
        Assert.Contains("cloud:10000", refused.Message, StringComparison.Ordinal);
        Assert.Equal(409, (await Assert.ThrowsAsync<RefusedException>(() => silo.Membership.DeleteDeviceAsync("p"))).Code);
    }
}
