namespace EdgeOrleans.Link.Wire;

public sealed class BackoffTests
{
    private static readonly double[] Chances = [0, 0.25, 0.5, 0.999999];

    [Fact]
    public void The_first_try_waits_for_nothing() => Assert.Equal(TimeSpan.Zero, new Backoff().Wait(0.9));

    [Fact]
    public void Every_wait_lies_between_a_fifth_of_a_second_and_half_a_minute()
    {
        var backoff = new Backoff();
        for (var failure = 0; failure < 10_000; failure++)
        {
            backoff = backoff.After(TimeSpan.Zero);

            Assert.All(Chances, c => Assert.InRange(backoff.Wait(c), TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(30)));
        }
    }

    [Fact]
    public void The_room_for_chance_doubles_with_each_failure_until_it_is_the_longest()
    {
        var backoff = new Backoff();
        foreach (var most in (double[])[0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])
        {
            backoff = backoff.After(TimeSpan.FromSeconds(1));

            Assert.Equal(0.2, backoff.Wait(0).TotalSeconds, 6);
            Assert.Equal(most, backoff.Wait(1).TotalSeconds, 6);
        }
    }

    [Fact]
    public void Nodes_that_fall_together_do_not_come_back_together()
    {
        var random = new Random(1);
        var fallen = new Backoff().After(TimeSpan.FromHours(1));

        var waits = Enumerable.Range(0, 1000).Select(_ => fallen.Wait(random.NextDouble())).ToList();

        Assert.True(waits.Distinct().Count() > 990);
        Assert.InRange(waits.Count(w => w < TimeSpan.FromSeconds(0.3)), 400, 600);
    }

    [Fact]
    public void A_link_that_lived_long_enough_begins_the_count_anew()
    {
        var tired = Enumerable.Range(0, 9).Aggregate(new Backoff(), (b, _) => b.After(TimeSpan.Zero));

        Assert.Equal(1, tired.After(TimeSpan.FromSeconds(30)).Failures);
        Assert.Equal(10, tired.After(TimeSpan.FromSeconds(29)).Failures);
    }
}
