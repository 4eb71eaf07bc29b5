using EdgeOrleans.Modules;

namespace EdgeOrleans.Beehive;

// They share the groups of one silo.
[Collection("Groups")]
public sealed class ModuleMessagesTests(BeehiveSilo silo)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_to_a_module_arrive_in_the_order_they_were_sent()
    {
        var module = await silo.AddModuleAsync(Groups.Meta);
        for (var i = 0; i < BeehiveSilo.PerKey; i++)
        {
            await SendAsync(module, Messages.Numbered(i));
        }

        for (var i = 0; i < BeehiveSilo.PerKey; i++)
        {
            Assert.Equal($"number/{i}", (await ReceiveAsync(module)).Route.Resource);
        }
    }

    [Fact]
    public async Task A_module_that_does_not_read_is_refused_and_holds_a_bounded_number_of_messages()
    {
        var module = await silo.AddModuleAsync(Groups.User);
        var accepted = 0;
        var refused = await Assert.ThrowsAsync<BeehiveFullException>(async () =>
        {
            for (; accepted < 10 * BeehiveSilo.PerKey; accepted++)
            {
                await SendAsync(module, Messages.Numbered(accepted));
            }
        });

        Assert.InRange(accepted, BeehiveSilo.PerKey, 2 * BeehiveSilo.PerKey);
        Assert.Contains(module, refused.Message, StringComparison.Ordinal);
        Assert.True(silo.Refusals.Snapshot()["beehive.full"] > 0);
        for (var i = 0; i < accepted; i++)
        {
            Assert.Equal($"number/{i}", (await ReceiveAsync(module)).Route.Resource);
        }
    }

    [Fact]
    public async Task A_full_module_stops_no_other()
    {
        var (full, other) = (await silo.AddModuleAsync(Groups.Edged), await silo.AddModuleAsync(Groups.Edged));
        await FillAsync(full);

        await SendAsync(other, Messages.Numbered(7));

        Assert.Equal("number/7", (await ReceiveAsync(other)).Route.Resource);
    }

    [Fact]
    public async Task A_group_reaches_each_of_its_modules_once_and_no_entity()
    {
        var (one, two) = (await silo.AddModuleAsync(Groups.User), await silo.AddModuleAsync(Groups.User));
        var entity = silo.Probes.Of(one);

        await silo.Beehive.SendToGroupAsync(Groups.User, Messages.About("all"), Cancellation);
        await SendAsync(one, Messages.About("last"));
        await SendAsync(two, Messages.About("last"));

        foreach (var module in (string[])[one, two])
        {
            Assert.Equal("all", (await ReceiveAsync(module)).Route.Resource);
            Assert.Equal("last", (await ReceiveAsync(module)).Route.Resource);
        }

        Assert.False(entity.Batches.TryPeek(out _));
    }

    [Fact]
    public async Task A_message_to_an_entity_wakes_no_module_of_its_group()
    {
        var module = await silo.AddModuleAsync(Groups.User);

        await silo.Beehive.SendAsync(Address.Entity(ProbeGrain.Kind, module), Messages.About("entity"), Cancellation);
        await silo.Probes.Of(module).TakeAsync(1);
        await SendAsync(module, Messages.About("module"));

        Assert.Equal("module", (await ReceiveAsync(module)).Route.Resource);
    }

    [Fact]
    public async Task A_full_member_of_a_group_is_named_and_the_others_have_the_message()
    {
        var (full, other) = (await silo.AddModuleAsync(Groups.Mesh), await silo.AddModuleAsync(Groups.Mesh));
        await FillAsync(full);

        var error = await Assert.ThrowsAsync<BeehiveFullException>(() => silo.Beehive.SendToGroupAsync(Groups.Mesh, Messages.About("all"), Cancellation).AsTask());

        Assert.Contains(full, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(other, error.Message, StringComparison.Ordinal);
        Assert.Equal("all", (await ReceiveAsync(other)).Route.Resource);
        await silo.Modules.CleanupAsync(full, TimeSpan.Zero, Cancellation);
    }

    [Fact]
    public async Task A_group_that_does_not_exist_is_an_error_that_lists_the_groups()
    {
        var error = await Assert.ThrowsAsync<RefusedException>(() => silo.Beehive.SendToGroupAsync("taskmanager", Messages.About("all"), Cancellation).AsTask());

        Assert.Contains("bus, hub, twin", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KubeEdges_name_of_a_module_reaches_it()
    {
        await silo.Modules.AddModuleAsync(ModuleNames.EdgeHub, Cancellation);
        await silo.Modules.AddModuleGroupAsync(ModuleNames.EdgeHub, Groups.Hub, Cancellation);

        await SendAsync("websocket", Messages.About("up"));

        Assert.Equal("up", (await ReceiveAsync(ModuleNames.EdgeHub)).Route.Resource);
    }

    [Fact]
    public async Task A_module_without_a_group_is_reached_by_its_name_alone()
    {
        var module = $"alone-{Guid.NewGuid():N}";
        await silo.Modules.AddModuleAsync(module, Cancellation);

        await SendAsync(module, Messages.About("direct"));

        Assert.Equal("direct", (await ReceiveAsync(module)).Route.Resource);
    }

    [Theory]
    [InlineData(ModuleState.Disabled, "not enabled")]
    [InlineData(ModuleState.NotBuilt, "not built")]
    [InlineData(ModuleState.Stopped, "stopped")]
    [InlineData(null, "unknown")]
    public async Task A_module_that_cannot_be_asked_answers_at_once_and_says_why(ModuleState? state, string why)
    {
        var module = $"{state}-{Guid.NewGuid():N}";
        if (state is { } known)
        {
            silo.Get<ModuleCatalog>().Add(new ModuleStatus { Name = module, Group = Groups.Mesh, Enabled = false, State = known });
        }

        var error = await Assert.ThrowsAsync<ModuleUnavailableException>(
            () => silo.Beehive.SendSyncAsync(Address.Module(module), Messages.About("question"), cancellation: Cancellation));

        Assert.Equal($"module {module} is {why}", error.Message);
    }

    [Fact]
    public async Task A_module_is_added_once_until_it_is_cleaned_up()
    {
        var module = await silo.AddModuleAsync(Groups.Mesh);
        await Assert.ThrowsAsync<InvalidOperationException>(() => silo.Modules.AddModuleAsync(module, Cancellation).AsTask());
        await silo.Modules.CleanupAsync(module, Limit.Time, Cancellation);

        await silo.Modules.AddModuleAsync(module, Cancellation);
        await SendAsync(module, Messages.About("again"));

        Assert.Equal("again", (await ReceiveAsync(module)).Route.Resource);
    }

    [Fact]
    public async Task Cleanup_lets_what_is_queued_be_received_and_takes_nothing_new()
    {
        var module = await silo.AddModuleAsync(Groups.Twin);
        for (var i = 0; i < 10; i++)
        {
            await SendAsync(module, Messages.Numbered(i));
        }

        var cleaning = silo.Modules.CleanupAsync(module, Limit.Time, Cancellation).AsTask();
        var refused = await Assert.ThrowsAsync<ModuleUnavailableException>(() => SendAsync(module, Messages.About("late")));
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal($"number/{i}", (await ReceiveAsync(module)).Route.Resource);
        }

        Assert.Equal(0, await cleaning);
        Assert.Contains("stopped", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ModuleUnavailableException>(() => ReceiveAsync(module));
    }

    [Fact]
    public async Task Cleanup_ends_a_receiver_that_waits_already()
    {
        var module = await silo.AddModuleAsync(Groups.Twin);
        var receiving = ReceiveAsync(module);

        await silo.Modules.CleanupAsync(module, Limit.Time, Cancellation);

        await Assert.ThrowsAsync<ModuleUnavailableException>(() => receiving);
    }

    [Fact]
    public async Task Cleanup_says_how_many_messages_were_left_and_answers_their_questions()
    {
        var module = await silo.AddModuleAsync(Groups.Twin);
        await SendAsync(module, Messages.About("first"));
        await ReceiveAsync(module);
        for (var i = 0; i < 3; i++)
        {
            await SendAsync(module, Messages.Numbered(i));
        }

        var question = silo.Beehive.SendSyncAsync(Address.Module(module), Messages.About("question"), Limit.Time, Cancellation);
        var refusedBefore = silo.Refusals.Snapshot().GetValueOrDefault("beehive.left");
        await silo.UntilAsync(module, 4);

        var left = await silo.Modules.CleanupAsync(module, TimeSpan.Zero, Cancellation);

        Assert.Equal(4, left);
        Assert.True(silo.Refusals.Snapshot()["beehive.left"] >= refusedBefore + 4);
        Assert.Equal(503, (await question).Code);
    }

    private Task SendAsync(string module, Message message) => silo.Beehive.SendAsync(Address.Module(module), message, Cancellation).AsTask();

    private Task<Message> ReceiveAsync(string module) => silo.Beehive.ReceiveAsync(module, Cancellation).AsTask().WaitAsync(Limit.Time);

    private async Task FillAsync(string module)
    {
        try
        {
            while (true)
            {
                await SendAsync(module, Messages.About("fill"));
            }
        }
        catch (BeehiveFullException)
        {
            // Wait until all of it has arrived: from then on the module stays full.
            await silo.UntilAsync(module, BeehiveSilo.PerKey);
        }
    }
}
