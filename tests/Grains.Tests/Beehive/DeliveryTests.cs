namespace EdgeOrleans.Beehive;

public sealed class DeliveryTests(BeehiveSilo silo)
{
    private readonly string _key = Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Ten_thousand_messages_of_one_entity_arrive_in_the_order_they_were_sent()
    {
        var probe = silo.Probes.Of(_key);
        var receiving = probe.TakeAsync(10_000);
        for (var i = 0; i < 10_000;)
        {
            try
            {
                await SendAsync(Messages.Numbered(i));
                i++;
            }
            catch (BeehiveFullException)
            {
                await Task.Yield();
            }
        }

        var messages = await receiving;

        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => $"number/{i}"), messages.Select(m => m.Route.Resource));
        Assert.Equal(1, probe.MostInside);
    }

    [Fact]
    public async Task What_was_waiting_arrives_together_up_to_a_batch_and_one_call_at_a_time()
    {
        var (probe, open) = Closed(_key);
        await SendAsync(Messages.Numbered(0));
        var sizes = new List<int> { (await probe.Batches.ReadAsync(TestContext.Current.CancellationToken)).Count };
        for (var i = 1; i < BeehiveSilo.PerKey; i++)
        {
            await SendAsync(Messages.Numbered(i));
        }

        open.SetResult();
        while (sizes.Sum() < BeehiveSilo.PerKey)
        {
            sizes.Add((await probe.Batches.ReadAsync(TestContext.Current.CancellationToken)).Count);
        }

        Assert.All(sizes, size => Assert.InRange(size, 1, 64));
        Assert.Contains(64, sizes);
        Assert.Equal(1, probe.MostInside);
    }

    [Fact]
    public async Task A_full_entity_is_refused_at_its_own_limit_and_stops_no_other()
    {
        var (stuck, open) = Closed(_key);
        for (var i = 0; i < BeehiveSilo.PerKey; i++)
        {
            await SendAsync(Messages.Numbered(i));
        }

        var error = await Assert.ThrowsAsync<BeehiveFullException>(() => SendAsync(Messages.Numbered(-1)));
        await silo.Beehive.SendAsync(Address.Entity(ProbeGrain.Kind, _key + "-other"), Messages.Numbered(1), TestContext.Current.CancellationToken);
        await silo.Probes.Of(_key + "-other").TakeAsync(1);

        Assert.Contains(_key, error.Message, StringComparison.Ordinal);
        open.SetResult();
        Assert.Equal(BeehiveSilo.PerKey, (await stuck.TakeAsync(BeehiveSilo.PerKey)).Count);
    }

    [Fact]
    public async Task An_exception_in_a_handler_does_not_block_the_address()
    {
        var probe = silo.Probes.Of(_key);
        probe.Then = _ => throw new InvalidOperationException("broken on purpose");
        await SendAsync(Messages.Numbered(1));
        await probe.TakeAsync(1);
        probe.Then = _ => Task.CompletedTask;

        await SendAsync(Messages.Numbered(2));

        Assert.Equal("number/2", Assert.Single(await probe.TakeAsync(1)).Route.Resource);
    }

    [Fact]
    public async Task An_entity_of_a_kind_that_nobody_listens_for_is_unknown() =>
        await Assert.ThrowsAsync<ModuleUnavailableException>(() => silo.Beehive.SendAsync(
            Address.Entity("user/nobody", _key), Messages.Numbered(1), TestContext.Current.CancellationToken).AsTask());

    private Task SendAsync(Message message) =>
        silo.Beehive.SendAsync(Address.Entity(ProbeGrain.Kind, _key), message, TestContext.Current.CancellationToken).AsTask();

    private (EntityProbe Probe, TaskCompletionSource Open) Closed(string key)
    {
        var (probe, open) = (silo.Probes.Of(key), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        probe.Then = _ => open.Task;
        return (probe, open);
    }
}
