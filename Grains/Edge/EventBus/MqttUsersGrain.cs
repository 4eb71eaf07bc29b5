using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using EdgeOrleans.Edge.EventBus.Access;
using EdgeOrleans.Modules;
using EdgeOrleans.Mqtt;
using Microsoft.Extensions.Options;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>Lets an operator say who may connect. It keeps nothing, so any number of it may.</summary>
[GrainType("edge.mqtt-users"), Orleans.Concurrency.StatelessWorker(2)]
internal sealed class MqttUsersGrain(
    AccessFiles files, BrokerCertificates certificates, Sessions sessions, ModuleCatalog modules, IOptions<EventBusOptions> options, TimeProvider time) : Grain, IMqttUsersGrain
{
    // 128 bits: nobody tries them all, so it needs no rule of what is in it.
    private const int PasswordBytes = 16;

    public Task<MqttUsers> ListAsync(MqttQuery query)
    {
        CheckServes();
        query.MustBePossible();
        var now = files.Current;
        return Task.FromResult(new MqttUsers
        {
            Page = MqttViews.Page(now.Users.Names.Where(name => query.Name.Length == 0 || MqttViews.IsMeant(name, query.Name)), query, static name => name, static name => name),
            HasFile = files.UsersPath.Length > 0,
            Rules = !options.Value.HasAccess ? MqttRuleSource.None : now.Rules is AclRules ? MqttRuleSource.File : MqttRuleSource.Defaults,
            UsersError = now.UsersError,
            RulesError = now.RulesError,
        });
    }

    public async Task<MqttUserChange> SetAsync(MqttUserRequest request)
    {
        CheckServes();
        var made = request.Password is null ? Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(PasswordBytes)) : null;
        var isNew = await files.SetUserAsync(request.Name, Encoding.UTF8.GetBytes(made ?? request.Password!));
        return new MqttUserChange { Name = request.Name, IsNew = isNew, Password = made };
    }

    public async Task<MqttUserRemoval> RemoveAsync(string name)
    {
        CheckServes();
        var connections = sessions.All.Count(session => IsConnected(session, name));
        return await files.RemoveUserAsync(name)
            ? new MqttUserRemoval { Connections = connections }
            : throw new RefusedException(404, $"there is no MQTT user '{name}'");
    }

    public async Task<MqttCertificate> IssueCertificateAsync(string name, TimeSpan lifetime)
    {
        CheckHasTls();
        var issued = await certificates.IssueAsync(name, lifetime);
        return new MqttCertificate
        {
            CertificatePem = issued.CertificatePem,
            KeyPem = issued.KeyPem,
            CaPem = issued.CaPem,
            NotAfter = issued.NotAfter,
            IsBrokers = options.Value.TlsCertFile.Length == 0,
        };
    }

    public Task<MqttPage<MqttCertificateView>> ListCertificatesAsync(MqttQuery query)
    {
        CheckHasTls();
        query.MustBePossible();
        if (options.Value.TlsClientCaFile.Length > 0)
        {
            throw new RefusedException(409, $"this node believes the MQTT clients of {options.Value.TlsClientCaFile}, so that authority makes their certificates and knows them");
        }

        var now = time.GetUtcNow();
        var known = certificates.Made.All.Where(made => made.Until > now && (query.Name.Length == 0 || MqttViews.IsMeant(made.User, query.Name)));
        return Task.FromResult(MqttViews.Page(known.Select(View), query, static made => made.Key, static made => made));
    }

    public async Task<MqttCertificateRevocation> RevokeCertificatesAsync(string name, string? serial)
    {
        CheckHasTls();
        var isUnknown = serial is not null && SerialNumber.TryRead(serial, out var number) && certificates.Made.Find(number) is null;
        var serials = Connections(name);
        var revoked = await certificates.RevokeAsync(name, serial);
        return new MqttCertificateRevocation
        {
            Serials = [.. revoked.Select(static made => made.Serial)],
            Connections = serials.Count(connected => revoked.Any(made => made.Serial == connected)),
            IsUnknown = isUnknown,
        };
    }

    private static MqttCertificateView View(MadeCertificate made) => new()
    {
        Serial = made.Serial,
        User = made.User,
        Issued = made.Issued,
        NotAfter = made.Until,
        Revoked = made.Revoked,
    };

    /// <summary>The serial numbers of the certificates that a user's connections were made with.</summary>
    private string[] Connections(string user) =>
        [.. sessions.All.Select(static session => session.Connection).OfType<MqttConnection>().Where(c => c.CertificateUser == user).Select(static c => c.CertificateSerial).OfType<string>()];

    // Who came with a certificate needs no password, and stays.
    private static bool IsConnected(Session session, string user) =>
        session.Connection is MqttConnection { CertificateUser: null } && session.Identity?.User == user;

    private void CheckHasTls()
    {
        CheckServes();
        if (options.Value.MqttServerTls.Length == 0)
        {
            throw new RefusedException(409, "this node has no address with TLS, where a client would show its certificate; set modules.eventBus.mqttServerTls, such as ssl://127.0.0.1:8883");
        }
    }

    private void CheckServes()
    {
        modules.MustRunBroker();
        if (!options.Value.HasInside)
        {
            throw new RefusedException(409, "this node serves no MQTT clients itself, its broker is outside: add their users there, or set modules.eventBus.mqttMode to 0 or 1");
        }
    }
}
