using System.Collections.Immutable;
using System.Net;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// Makes a wrong password slow to try twice. Of one user from one address one password is looked at at a time; after a wrong one the next
/// waits for a second, and for twice as long after each further one, up to 30 seconds. From an address with ten wrong ones within a minute
/// every try waits for a second at least. Those who wait are bounded; what is too much is refused at once.
/// </summary>
internal sealed class LoginThrottle(TimeProvider time)
{
    /// <summary>The most tries that wait.</summary>
    public const int MostWaiting = 1_000;

    /// <summary>The most tries that wait from one address.</summary>
    public const int MostWaitingOfAddress = 10;

    /// <summary>The most entries of what went wrong, for users and for addresses each.</summary>
    public const int MostEntries = 10_000;

    /// <summary>So many wrong ones within <see cref="AddressWindow"/> make an address slow.</summary>
    public const int WrongOfAddress = 10;

    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan AddressWindow = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    /// <summary>The reason of a refusal: too many wait from this address.</summary>
    public const string TooManyOfAddress = "mqtt.too-many-logins-of-an-address";

    /// <summary>The reason of a refusal: too many wait.</summary>
    public const string TooMany = "mqtt.too-many-logins";

    private readonly Lock _sync = new();
    private readonly RecentTable<LoginKey, Wrongs> _ofUsers = new(MostEntries, Memory);
    private readonly RecentTable<IPAddress, ImmutableQueue<DateTimeOffset>> _ofAddresses = new(MostEntries, Memory);
    private readonly Dictionary<IPAddress, int> _waitingOf = [];
    private readonly Dictionary<LoginKey, LinkedList<LoginTurn>> _lines = [];
    private int _waiting;

    /// <summary>How many tries wait now.</summary>
    public int Waiting
    {
        get
        {
            lock (_sync)
            {
                return _waiting;
            }
        }
    }

    /// <summary>How many entries there are, of users and of addresses.</summary>
    public (int Users, int Addresses) Entries
    {
        get
        {
            lock (_sync)
            {
                Forget(time.GetUtcNow());
                return (_ofUsers.Count, _ofAddresses.Count);
            }
        }
    }

    /// <summary>Waits for the turn of a try.</summary>
    /// <returns>The turn, which is to be ended; or a refusal, when too many wait.</returns>
    /// <exception cref="OperationCanceledException">Whoever tries has gone.</exception>
    public async ValueTask<LoginTurn> EnterAsync(IPAddress address, string user, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var turn = Line(LoginKey.Of(address, user));
        if (turn.Refusal is not null)
        {
            return turn;
        }

        try
        {
            await turn.Free.WaitAsync(cancellation);
        }
        catch
        {
            turn.Dispose();
            throw;
        }

        Sit(turn);
        return turn;
    }

    /// <summary>Whether so much was wrong from an address that every try from it waits.</summary>
    public bool IsSlow(IPAddress address)
    {
        lock (_sync)
        {
            return IsSlow(LoginKey.Plain(address), time.GetUtcNow());
        }
    }

    /// <summary>Takes one of the places for those who wait; it is given back with <see cref="Leave"/>.</summary>
    /// <returns>Why there is none; null when it is taken.</returns>
    public string? TryWait(IPAddress address)
    {
        lock (_sync)
        {
            return TakePlace(LoginKey.Plain(address));
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Leave(IPAddress address)
    {
        lock (_sync)
        {
            GivePlace(LoginKey.Plain(address));
        }
    }

    internal void End(LoginTurn turn, bool? isRight)
    {
        lock (_sync)
        {
            Sit(turn);
            Note(turn.Key, isRight);
            var line = _lines[turn.Key];
            var wasFirst = line.First!.Value == turn;
            line.Remove(turn);
            if (line.Count == 0)
            {
                _lines.Remove(turn.Key);
            }
            else if (wasFirst)
            {
                line.First!.Value.BeginAfter(Wait(turn.Key, time.GetUtcNow()), time);
            }
        }
    }

    private LoginTurn Line(LoginKey key)
    {
        lock (_sync)
        {
            var now = time.GetUtcNow();
            Forget(now);
            var isFirst = !_lines.TryGetValue(key, out var line);
            var wait = isFirst ? Wait(key, now) : TimeSpan.MaxValue;
            if (wait > TimeSpan.Zero && TakePlace(key.Address) is { } reason)
            {
                return LoginTurn.Refused(reason);
            }

            var turn = new LoginTurn(this, key) { HasWaited = wait > TimeSpan.Zero, HasPlace = wait > TimeSpan.Zero };
            (line ?? (_lines[key] = [])).AddLast(turn);
            if (isFirst)
            {
                turn.BeginAfter(wait, time);
            }

            return turn;
        }
    }

    private void Sit(LoginTurn turn)
    {
        lock (_sync)
        {
            if (turn.HasPlace)
            {
                turn.HasPlace = false;
                GivePlace(turn.Key.Address);
            }
        }
    }

    private void Note(LoginKey key, bool? isRight)
    {
        var now = time.GetUtcNow();
        switch (isRight)
        {
            case true:
                _ofUsers.Remove(key);
                break;
            case false:
                var count = _ofUsers.TryGet(key, out var wrongs) ? wrongs.Count + 1 : 1;
                _ofUsers.Set(key, new Wrongs(count, now + WaitAfter(count)), now);
                _ofAddresses.Set(key.Address, Lately(key.Address).Enqueue(now), now);
                break;
        }
    }

    // The last ten alone: they tell whether there were ten within a minute.
    private ImmutableQueue<DateTimeOffset> Lately(IPAddress address)
    {
        var lately = _ofAddresses.TryGet(address, out var known) ? known : [];
        return lately.Count() < WrongOfAddress ? lately : lately.Dequeue();
    }

    private TimeSpan Wait(LoginKey key, DateTimeOffset now)
    {
        var wait = _ofUsers.TryGet(key, out var wrongs) ? wrongs.NextAt - now : TimeSpan.Zero;
        return IsSlow(key.Address, now) && wait < FirstWait ? FirstWait : wait;
    }

    private bool IsSlow(IPAddress address, DateTimeOffset now) =>
        _ofAddresses.TryGet(address, out var lately) && lately.Count() == WrongOfAddress && now - lately.Peek() < AddressWindow;

    private string? TakePlace(IPAddress address)
    {
        var ofAddress = _waitingOf.GetValueOrDefault(address);
        if (ofAddress >= MostWaitingOfAddress)
        {
            return TooManyOfAddress;
        }

        if (_waiting >= MostWaiting)
        {
            return TooMany;
        }

        _waiting++;
        _waitingOf[address] = ofAddress + 1;
        return null;
    }

    private void GivePlace(IPAddress address)
    {
        _waiting--;
        if (--_waitingOf[address] is var left && left == 0)
        {
            _waitingOf.Remove(address);
        }
    }

    private void Forget(DateTimeOffset now)
    {
        _ofUsers.Forget(now);
        _ofAddresses.Forget(now);
    }

    private static TimeSpan WaitAfter(int wrongs)
    {
        var wait = FirstWait * Math.Pow(2, Math.Min(wrongs - 1, 10));
        return wait < LongestWait ? wait : LongestWait;
    }

    private readonly record struct Wrongs(int Count, DateTimeOffset NextAt);
}
