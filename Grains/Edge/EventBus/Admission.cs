using System.Net;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using EdgeOrleans.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Whether a client is let in, and as whom.</summary>
/// <param name="Reason">What it is told.</param>
/// <param name="Identity">Who it is; null when nobody asks for that.</param>
internal readonly record struct Admitted(MqttConnectReasonCode Reason, AccessIdentity? Identity);

/// <summary>Who comes in, and what he may do: the one place where a CONNECT, a publish and a subscription are allowed or refused.</summary>
/// <remarks>
/// Authentication is on when there is a file of users, a file of rules or a CA for clients. Then everybody is somebody, and the rules say
/// what he may do. While it is off a client may do everything that is not the node's own, and it has to be on this machine.
/// </remarks>
internal sealed partial class Admission(
    AccessFiles files, Credentials credentials, Refusals refusals, IOptions<EventBusOptions> options, IOptions<NodeOptions> node,
    TimeProvider time, ILogger<Admission> logger)
{
    private const int LongestClientId = 1_024;
    private static readonly TimeSpan LongestLogin = TimeSpan.FromMinutes(1);
    private readonly ILogger _logger = logger;
    private Task _looking = Task.CompletedTask;

    /// <summary>Whether clients have to say who they are.</summary>
    public bool IsOn => options.Value.HasAccess;

    /// <summary>What is in force.</summary>
    public AccessState State => files.Current;

    /// <summary>Reads the files, and looks at them from now on.</summary>
    /// <param name="changed">Called with what was in force and what is, one after the other.</param>
    /// <exception cref="StartRefusedException">A file is missing or wrong.</exception>
    public void Start(Func<AccessState, AccessState, Task> changed)
    {
        if (!IsOn)
        {
            return;
        }

        CreateUserFile();
        var before = files.Current;
        files.Changed += after => _looking = LookAsync(_looking, changed, Interlocked.Exchange(ref before, after), after);
        files.Start();
        before = files.Current;
    }

    /// <summary>Whether a client is let in, and as whom. A wrong password takes its time.</summary>
    public async ValueTask<Admitted> AdmitAsync(MqttConnection connection, MqttConnectPacket connect, string clientId, CancellationToken cancellation)
    {
        if (Refuse(connect) is { } reason)
        {
            return new Admitted(reason, null);
        }

        if (connection.IsRevoked)
        {
            return Refused("mqtt.certificate-revoked", MqttConnectReasonCode.NotAuthorized);
        }

        if (!IsOn)
        {
            return MayBeAnonymous(connection) ? default : Unnamed(connection);
        }

        var user = connection.CertificateUser;
        if (user is not null)
        {
            // The certificate says who it is; who says another name in the same breath is not believed either.
            return string.IsNullOrEmpty(connect.Username) || connect.Username == user
                ? new Admitted(MqttConnectReasonCode.Success, new AccessIdentity(clientId, user, false))
                : Refused("mqtt.other-user", MqttConnectReasonCode.NotAuthorized);
        }

        if (string.IsNullOrEmpty(connect.Username))
        {
            return MayBeAnonymous(connection)
                ? new Admitted(MqttConnectReasonCode.Success, new AccessIdentity(clientId, null, true))
                : Unnamed(connection);
        }

        var login = await CheckAsync(AddressOf(connection), connect, cancellation);
        return login.IsRight
            ? new Admitted(MqttConnectReasonCode.Success, new AccessIdentity(clientId, connect.Username, false))
            : Refused(login.Reason!, login.Reason == LoginResult.WrongPassword ? MqttConnectReasonCode.BadUserNameOrPassword : MqttConnectReasonCode.ServerBusy);
    }

    /// <summary>Whether a session that is there may be had by a client: it is its own user's alone.</summary>
    /// <returns>Null when nobody has it, or somebody without a name: it begins anew then.</returns>
    public bool? Owns(AccessIdentity? identity, Session session)
    {
        if (!IsOn || session.Owner == identity?.User)
        {
            return true;
        }

        if (session.Owner is null)
        {
            return null;
        }

        refusals.Count("mqtt.foreign-client-id");
        return false;
    }

    /// <summary>Whether a client may publish to a topic; a will counts as published by its client.</summary>
    public bool MayPublish(AccessIdentity? identity, RequestTopic topic)
    {
        if (topic.Kind == TopicKind.Reserved)
        {
            refusals.Count("mqtt.reserved-topic");
            return false;
        }

        if (identity is null || files.Current.Rules.MayPublish(identity, topic.Topic))
        {
            return true;
        }

        refusals.Count("mqtt.not-authorized");
        LogMayNotPublish(identity.ClientId, identity.User ?? "nobody", topic.Topic.Length <= 256 ? topic.Topic : topic.Topic[..256]);
        return false;
    }

    /// <summary>Whether a last will may be published. Its client has been away for a while: a user who is none any more says nothing.</summary>
    public bool MayPublish(LastWill will, RequestTopic topic)
    {
        if (IsOn && will is { IsByPassword: true, Identity.User: { } user } && files.Current.Users.Find(user) is null)
        {
            refusals.Count("mqtt.rights-ended");
            return false;
        }

        return MayPublish(IsOn ? will.Identity : null, topic);
    }

    /// <summary>What a client is granted for a filter: a QoS, or a reason why not.</summary>
    /// <param name="identity">The client.</param>
    /// <param name="filter">What it wishes for.</param>
    /// <param name="count">How many subscriptions it has besides.</param>
    public MqttSubscribeReasonCode Grant(AccessIdentity? identity, MqttTopicFilter filter, int count)
    {
        if (filter.Topic.StartsWith("$share/", StringComparison.Ordinal))
        {
            refusals.Count("mqtt.shared-subscription");
            return MqttSubscribeReasonCode.SharedSubscriptionsNotSupported;
        }

        if (!MqttRules.IsFilter(filter.Topic))
        {
            refusals.Count("mqtt.bad-filter");
            return MqttSubscribeReasonCode.TopicFilterInvalid;
        }

        if (!MayHear(identity, filter.Topic))
        {
            refusals.Count("mqtt.not-authorized");
            LogMayNotHear(identity!.ClientId, identity.User ?? "nobody", filter.Topic.Length <= 256 ? filter.Topic : filter.Topic[..256]);
            return MqttSubscribeReasonCode.NotAuthorized;
        }

        if (count >= options.Value.MaxSubscriptions)
        {
            refusals.Count("mqtt.too-many-subscriptions");
            return MqttSubscribeReasonCode.QuotaExceeded;
        }

        return (MqttSubscribeReasonCode)filter.QualityOfServiceLevel;
    }

    /// <summary>Whether a session may have a subscription, also while its client is away.</summary>
    public bool MayHear(Session session, string filter) =>
        !IsOn || session.ClientId == Session.Outside || MayHear(session.Identity ?? new AccessIdentity(session.ClientId, session.Owner, session.Owner is null), filter);

    /// <summary>Whether a client may have a subscription.</summary>
    public bool MayHear(AccessIdentity? identity, string filter) => identity is null || files.Current.Rules.MaySubscribe(identity, filter);

    // The first user can only be added to a file that is there.
    private void CreateUserFile()
    {
        if (files.UsersPath is not { Length: > 0 } path || File.Exists(path))
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            new FileStream(path, how).Dispose();
            LogNoUsers(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"modules.eventBus.mqttUserFile: {path} is not there and cannot be made: {e.Message}");
        }
    }

    private async Task LookAsync(Task last, Func<AccessState, AccessState, Task> changed, AccessState before, AccessState after)
    {
        await last;
        try
        {
            await changed(before, after);
        }
        catch (Exception e)
        {
            LogNotLooked(e);
        }
    }

    private static MqttConnectReasonCode? Refuse(MqttConnectPacket connect)
    {
        if (!string.IsNullOrEmpty(connect.AuthenticationMethod))
        {
            return MqttConnectReasonCode.BadAuthenticationMethod;
        }

        if (connect.ClientId is { Length: > LongestClientId } or Session.Outside)
        {
            return MqttConnectReasonCode.ClientIdentifierNotValid;
        }

        return connect.WillFlag && !MqttRules.IsTopic(connect.WillTopic) ? MqttConnectReasonCode.TopicNameInvalid : null;
    }

    // Others may be in the line before; a client that waits for so long has given up.
    private async Task<LoginResult> CheckAsync(IPAddress address, MqttConnectPacket connect, CancellationToken cancellation)
    {
        using var late = new CancellationTokenSource(LongestLogin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            return await credentials.CheckAsync(address, connect.Username, connect.Password ?? [], either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return LoginResult.Refused(LoginThrottle.TooMany);
        }
    }

    private bool MayBeAnonymous(MqttConnection connection) => options.Value.MqttAnonymous switch
    {
        AnonymousClients.Always => true,
        AnonymousClients.Never => false,
        _ => IPAddress.IsLoopback(AddressOf(connection)),
    };

    private Admitted Unnamed(MqttConnection connection)
    {
        LogUnnamed(connection.RemoteEndPoint, node.Value.Name);
        return Refused("mqtt.anonymous", MqttConnectReasonCode.NotAuthorized);
    }

    private Admitted Refused(string reason, MqttConnectReasonCode code)
    {
        refusals.Count(reason);
        return new Admitted(code, null);
    }

    private static IPAddress AddressOf(MqttConnection connection) =>
        connection.RemoteEndPoint is IPEndPoint { Address: var address } ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : IPAddress.None;

    [LoggerMessage(LogLevel.Warning, "An MQTT client at {Address} has not said who it is. On {Node} only clients of this machine may do that (modules.eventBus.mqttAnonymous)")]
    private partial void LogUnnamed(EndPoint? address, string node);

    [LoggerMessage(LogLevel.Warning, "There was no file of MQTT users at {Path}: it is made, and has no user yet. Add them with: edgectl mqtt user add NAME")]
    private partial void LogNoUsers(string path);

    [LoggerMessage(LogLevel.Error, "What MQTT clients may do has changed, and not everybody could be looked at")]
    private partial void LogNotLooked(Exception exception);

    [LoggerMessage(LogLevel.Debug, "MQTT client '{Client}' of user '{User}' may not publish to {Topic}")]
    private partial void LogMayNotPublish(string client, string user, string topic);

    [LoggerMessage(LogLevel.Information, "MQTT client '{Client}' of user '{User}' may not subscribe to {Filter}")]
    private partial void LogMayNotHear(string client, string user, string filter);
}
