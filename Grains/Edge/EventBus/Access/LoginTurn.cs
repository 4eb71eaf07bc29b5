using System.Net;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// The turn of one try to log in. While it lasts, no other password of the same user is looked at for the same address; so it ends, with
/// what came out, or with nothing when the password was not looked at.
/// </summary>
internal sealed class LoginTurn : IDisposable
{
    private readonly TaskCompletionSource _free = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LoginThrottle? _throttle;
    private ITimer? _timer;
    private bool _isOver;

    internal LoginTurn(LoginThrottle throttle, LoginKey key) => (_throttle, Key) = (throttle, key);

    private LoginTurn(string refusal) => Refusal = refusal;

    /// <summary>Why there is no turn; null when there is one.</summary>
    public string? Refusal { get; }

    /// <summary>Whether it was not its turn at once.</summary>
    public bool HasWaited { get; internal init; }

    internal LoginKey Key { get; }

    /// <summary>Whether it holds one of the places for those who wait.</summary>
    internal bool HasPlace { get; set; }

    internal Task Free => _free.Task;

    /// <summary>The password was right: what was wrong before is forgotten.</summary>
    public void Succeeded() => End(isRight: true);

    /// <summary>The password was wrong: the next try waits longer.</summary>
    public void Failed() => End(isRight: false);

    /// <summary>Ends the turn, if that was not said yet.</summary>
    public void Dispose() => End(isRight: null);

    internal static LoginTurn Refused(string reason) => new(reason);

    internal void Begin() => _free.TrySetResult();

    internal void BeginAfter(TimeSpan wait, TimeProvider time)
    {
        if (wait <= TimeSpan.Zero)
        {
            Begin();
            return;
        }

        _timer = time.CreateTimer(static turn => ((LoginTurn)turn!).Begin(), this, wait, Timeout.InfiniteTimeSpan);
    }

    private void End(bool? isRight)
    {
        if (_throttle is null || _isOver)
        {
            return;
        }

        _isOver = true;
        _timer?.Dispose();
        _throttle.End(this, isRight);
    }
}

/// <summary>Whose tries are counted together: those of one user from one address.</summary>
internal readonly record struct LoginKey(IPAddress Address, string User)
{
    /// <summary>Names that are longer than a user's can be count as one, so that nobody fills the memory with them.</summary>
    public static LoginKey Of(IPAddress address, string user) =>
        new(Plain(address), user.Length <= UserName.Longest ? user : user[..UserName.Longest]);

    /// <summary>An address in the one of its forms that is counted.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
