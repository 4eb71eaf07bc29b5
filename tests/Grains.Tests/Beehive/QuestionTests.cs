using System.Diagnostics;

namespace EdgeOrleans.Beehive;

// They share the groups of one silo.
[Collection("Groups")]
public sealed class QuestionTests(BeehiveSilo silo)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_question_is_answered_by_its_id()
    {
        var module = await silo.AddModuleAsync(Groups.Twin);
        var (one, two) = (Messages.About("one"), Messages.About("two"));
        var asking = (AskAsync(module, one), AskAsync(module, two));

        var questions = (await ReceiveAsync(module), await ReceiveAsync(module));
        Assert.True(await silo.Beehive.SendRespAsync(questions.Item2.Answer(), Cancellation));
        Assert.True(await silo.Beehive.SendRespAsync(questions.Item1.Answer(), Cancellation));

        Assert.True(questions.Item1.Header.Sync);
        Assert.Equal("one", (await asking.Item1).Route.Resource);
        Assert.Equal("two", (await asking.Item2).Route.Resource);
    }

    [Fact]
    public async Task An_answer_that_comes_before_its_question_returned_from_sending_is_not_lost()
    {
        // The fastest module there can be: the answer is given while the sender has not got around to waiting.
        var key = Guid.NewGuid().ToString("N");
        silo.Probes.Of(key).Then = async messages =>
        {
            foreach (var message in messages)
            {
                await silo.Beehive.SendRespAsync(message.Answer());
            }
        };

        for (var i = 0; i < 1_000; i++)
        {
            await silo.Beehive.SendSyncAsync(Address.Entity(ProbeGrain.Kind, key), Messages.Numbered(i), Limit.Time, Cancellation);
        }

        Assert.Equal(0, silo.Get<Responses>().Open);
    }

    [Fact]
    public async Task A_question_that_nobody_answers_ends_with_an_error_that_names_module_and_resource()
    {
        var module = await silo.AddModuleAsync(Groups.Twin);

        var error = await Assert.ThrowsAsync<BeehiveTimeoutException>(() => silo.Beehive.SendSyncAsync(
            Address.Module(module), Messages.About("device/default/pump-1/twin"), TimeSpan.FromMilliseconds(50), Cancellation));

        Assert.Contains(module, error.Message, StringComparison.Ordinal);
        Assert.Contains("device/default/pump-1/twin", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_nobody_waits_for_any_more_is_counted()
    {
        var before = silo.Refusals.Snapshot().GetValueOrDefault("beehive.late-answer");

        Assert.False(await silo.Beehive.SendRespAsync(Messages.About("nothing").Answer(), Cancellation));

        Assert.True(silo.Refusals.Snapshot()["beehive.late-answer"] > before);
    }

    [Fact]
    public async Task A_question_that_is_given_up_leaves_no_waiter()
    {
        var module = await silo.AddModuleAsync(Groups.Twin);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var message = Messages.About("question");
        var asking = silo.Beehive.SendSyncAsync(Address.Module(module), message, Limit.Time, giveUp.Token);
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

        Assert.False(silo.Get<Responses>().Forget(message.Header.Id));
    }

    [Fact]
    public async Task A_module_that_waits_for_an_answer_does_not_block_its_own_answer()
    {
        var (asking, asked) = (await silo.AddModuleAsync(Groups.Twin), await silo.AddModuleAsync(Groups.Bus));
        await silo.Beehive.SendAsync(Address.Module(asking), Messages.About("start"), Cancellation);

        // The one loop of the asking module stands in its question, and its queue is not read meanwhile.
        var loop = Task.Run(async () => (await ReceiveAsync(asking), await AskAsync(asked, Messages.About("question"))).Item2, Cancellation);
        var question = await ReceiveAsync(asked);
        await silo.Beehive.SendAsync(Address.Module(asking), Messages.About("meanwhile"), Cancellation);
        await silo.Beehive.SendRespAsync(question.Answer(), Cancellation);

        Assert.Equal("question", (await loop).Route.Resource);
    }

    [Fact]
    public async Task A_question_to_a_group_has_one_answer_of_each_member()
    {
        var (one, two) = (await silo.AddModuleAsync(Groups.Hub), await silo.AddModuleAsync(Groups.Hub));
        await Task.WhenAll(silo.Get<ModuleQueues>().Members(Groups.Hub).Select(m => m.Name).Except([one, two])
            .Select(other => silo.Modules.CleanupAsync(other, TimeSpan.Zero, Cancellation).AsTask()));
        var message = Messages.About("who");

        var asking = silo.Beehive.SendToGroupSyncAsync(Groups.Hub, message, Limit.Time, Cancellation);
        foreach (var module in (string[])[two, one])
        {
            await silo.Beehive.SendRespAsync((await ReceiveAsync(module)).Answer(module), Cancellation);
        }

        var answers = await asking;
        Assert.Equal([one, two], answers.Select(a => a.Route.Source));
        Assert.All(answers, a => Assert.Equal(message.Header.Id, a.Header.ParentId));
    }

    [Fact]
    public async Task A_question_to_a_group_names_who_was_silent()
    {
        var (answering, silent) = (await silo.AddModuleAsync(Groups.Edged), await silo.AddModuleAsync(Groups.Edged));
        var asking = silo.Beehive.SendToGroupSyncAsync(Groups.Edged, Messages.About("who"), TimeSpan.FromSeconds(1), Cancellation);
        await silo.Beehive.SendRespAsync((await ReceiveAsync(answering)).Answer(), Cancellation);

        var error = await Assert.ThrowsAsync<BeehiveTimeoutException>(() => asking);

        Assert.Contains(silent, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(answering, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_carries_the_trace_of_its_sender()
    {
        var module = await silo.AddModuleAsync(Groups.Twin);
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();

        await silo.Beehive.SendAsync(Address.Module(module), Messages.About("traced"), Cancellation);

        Assert.Equal(activity.Id, (await ReceiveAsync(module)).Header.TraceParent);
    }

    private Task<Message> AskAsync(string module, Message message) => silo.Beehive.SendSyncAsync(Address.Module(module), message, Limit.Time, Cancellation);

    private Task<Message> ReceiveAsync(string module) => silo.Beehive.ReceiveAsync(module, Cancellation).AsTask().WaitAsync(Limit.Time);
}
