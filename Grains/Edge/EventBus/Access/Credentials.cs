using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// Whether a password is right. Wrong ones are slow to try (<see cref="LoginThrottle"/>); a right one is remembered until its user's line
/// changes, so a device that comes again costs nothing and waits for nobody. A user who is not there takes as long as one who is.
/// </summary>
/// <param name="users">Who there is now.</param>
/// <param name="throttle">Who waits.</param>
internal sealed class Credentials(Func<Users> users, LoginThrottle throttle) : IDisposable
{
    /// <summary>The most passwords that wait for a core.</summary>
    public const int MostHashing = 1_000;

    // What is remembered is of use in this process alone, and to nobody who reads its memory later.
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<TryKey, Try> _tries = [];
    private readonly Lock _sync = new();

    // One core is left to all else.
    private readonly SemaphoreSlim _cores = new(Math.Max(1, Environment.ProcessorCount - 1));
    private int _hashing;
    private long _hashes;

    /// <summary>How many passwords were hashed since the start.</summary>
    public long Hashes => Interlocked.Read(ref _hashes);

    /// <summary>Looks whether a user has a password.</summary>
    /// <param name="address">Where the client is.</param>
    /// <param name="user">Who it says it is.</param>
    /// <param name="password">Its password; copied before this returns.</param>
    /// <param name="cancellation">Ends the wait when the client has gone.</param>
    public ValueTask<LoginResult> CheckAsync(IPAddress address, string user, ReadOnlyMemory<byte> password, CancellationToken cancellation)
    {
        var digest = Digest(user, password.Span);
        return IsKnown(user, digest)
            ? ValueTask.FromResult(LoginResult.Right)
            : JoinAsync(new TryKey(LoginKey.Plain(address), Convert.ToHexString(digest)), user, digest, password, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cores.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }

    // Several clients with the same user and password are one try, however it ends: twenty right ones wait for one hash, and twenty wrong ones count once.
    private async ValueTask<LoginResult> JoinAsync(TryKey key, string user, byte[] digest, ReadOnlyMemory<byte> password, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var (attempt, waits, refusal) = Join(key, user, digest, password);
        if (refusal is not null)
        {
            return LoginResult.Refused(refusal);
        }

        try
        {
            return await attempt.Result.WaitAsync(cancellation);
        }
        finally
        {
            Leave(key, attempt, waits);
        }
    }

    private (Try Attempt, bool Waits, string? Refusal) Join(TryKey key, string user, byte[] digest, ReadOnlyMemory<byte> password)
    {
        lock (_sync)
        {
            if (!_tries.TryGetValue(key, out var attempt))
            {
                _tries[key] = attempt = new Try();
                attempt.Result = RunAsync(key, attempt, user, digest, password.ToArray());
                attempt.Listeners = 1;
                return (attempt, false, null);
            }

            // The first of them has its place in the throttle already.
            if (!attempt.HasTurn && throttle.TryWait(key.Address) is { } refusal)
            {
                return (attempt, false, refusal);
            }

            attempt.Listeners++;
            return (attempt, !attempt.HasTurn, null);
        }
    }

    private void Leave(TryKey key, Try attempt, bool waits)
    {
        if (waits)
        {
            throttle.Leave(key.Address);
        }

        lock (_sync)
        {
            if (--attempt.Listeners > 0)
            {
                return;
            }

            Remove(key, attempt);
        }

        attempt.Cancel();
    }

    private async Task<LoginResult> RunAsync(TryKey key, Try attempt, string user, byte[] digest, byte[] password)
    {
        try
        {
            using var turn = await throttle.EnterAsync(key.Address, user, attempt.Cancellation);
            attempt.HasTurn = true;
            return turn.Refusal is { } refusal ? LoginResult.Refused(refusal) : await LookAsync(key.Address, turn, user, digest, password, attempt.Cancellation);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(password);
            lock (_sync)
            {
                Remove(key, attempt);
            }
        }
    }

    private async Task<LoginResult> LookAsync(IPAddress address, LoginTurn turn, string user, byte[] digest, byte[] password, CancellationToken cancellation)
    {
        if (IsKnown(user, digest))
        {
            return LoginResult.Right;
        }

        if (Interlocked.Increment(ref _hashing) > MostHashing)
        {
            Interlocked.Decrement(ref _hashing);
            return LoginResult.Refused(LoginThrottle.TooMany);
        }

        try
        {
            await _cores.WaitAsync(cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _hashing);
        }

        try
        {
            // It came in a crowd, before the first of the crowd was seen to be wrong.
            return !turn.HasWaited && throttle.IsSlow(address)
                ? LoginResult.Refused(LoginThrottle.TooManyOfAddress)
                : await HashAsync(turn, user, digest, password);
        }
        finally
        {
            _cores.Release();
        }
    }

    private async Task<LoginResult> HashAsync(LoginTurn turn, string user, byte[] digest, byte[] password)
    {
        var all = users();
        var known = all.Find(user);
        var hash = known ?? PasswordHash.OfNobody(all.IterationsLike(Number(user)));
        var isRight = await Task.Run(() => hash.Verify(password)) && known is not null;
        Interlocked.Increment(ref _hashes);
        if (!isRight)
        {
            turn.Failed();
            return LoginResult.Wrong;
        }

        turn.Succeeded();
        Remember(user, new Known(digest, hash));
        return LoginResult.Right;
    }

    private bool IsKnown(string user, byte[] digest)
    {
        if (!_known.TryGetValue(user, out var known) || !CryptographicOperations.FixedTimeEquals(known.Digest, digest))
        {
            return false;
        }

        if (known.Hash.Equals(users().Find(user)))
        {
            return true;
        }

        _known.TryRemove(KeyValuePair.Create(user, known));
        return false;
    }

    private void Remember(string user, Known known)
    {
        if (_known.Count >= UserFile.Most)
        {
            _known.Clear();
        }

        _known[user] = known;
    }

    private void Remove(TryKey key, Try attempt)
    {
        if (_tries.TryGetValue(key, out var current) && current == attempt)
        {
            _tries.Remove(key);
        }
    }

    // The length keeps user and password apart.
    private byte[] Digest(string user, ReadOnlySpan<byte> password)
    {
        var name = Encoding.UTF8.GetBytes(user);
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hmac.AppendData(BitConverter.GetBytes(name.Length));
        hmac.AppendData(name);
        hmac.AppendData(password);
        return hmac.GetHashAndReset();
    }

    private uint Number(string user) => BitConverter.ToUInt32(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(user)));

    private sealed record Known(byte[] Digest, PasswordHash Hash);

    private readonly record struct TryKey(IPAddress Address, string Digest);

    /// <summary>One user and password from one address, being looked at.</summary>
    private sealed class Try
    {
        private readonly Action _cancel;

        public Try()
        {
            // It has neither a timer nor a handle, so there is nothing to dispose.
            var source = new CancellationTokenSource();
            (_cancel, Cancellation) = (source.Cancel, source.Token);
        }

        public CancellationToken Cancellation { get; }

        public Task<LoginResult> Result { get; set; } = Task.FromResult(LoginResult.Wrong);

        public int Listeners { get; set; }

        /// <summary>Whether it waits for nobody else's try any more.</summary>
        public bool HasTurn { get; set; }

        public void Cancel() => _cancel();
    }
}
