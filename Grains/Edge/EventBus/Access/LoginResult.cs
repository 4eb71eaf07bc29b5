namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>What came out of a try to log in.</summary>
/// <param name="IsRight">Whether the user is who it says.</param>
/// <param name="Reason">Why not, as a word for the count of refusals; null when it is.</param>
internal readonly record struct LoginResult(bool IsRight, string? Reason)
{
    /// <summary>The password is wrong, or there is no such user: nobody is told which.</summary>
    public const string WrongPassword = "mqtt.wrong-password";

    public static LoginResult Right { get; } = new(true, null);

    public static LoginResult Wrong { get; } = new(false, WrongPassword);

    /// <summary>The password was not looked at, as too many wait; it may be right.</summary>
    public static LoginResult Refused(string reason) => new(false, reason);
}
