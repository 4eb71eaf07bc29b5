using System.Collections.Immutable;

namespace EdgeOrleans.Mqtt;

/// <summary>Users of the broker, and what says what they may do.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.users")]
public sealed record MqttUsers
{
    /// <summary>The names on this page.</summary>
    [Id(0)]
    public required MqttPage<string> Page { get; init; }

    /// <summary>Whether the node has a file of users; without one nobody can be added.</summary>
    [Id(1)]
    public bool HasFile { get; init; }

    /// <summary>Where the rules come from that are in force.</summary>
    [Id(2)]
    public MqttRuleSource Rules { get; init; }

    /// <summary>Why the file of users as it is now is not taken, so that an older one is in force; null when it is.</summary>
    [Id(3)]
    public string? UsersError { get; init; }

    /// <summary>Why the file of rules as it is now is not taken, so that an older one is in force; null when it is.</summary>
    [Id(4)]
    public string? RulesError { get; init; }
}

/// <summary>Where the rules come from that say what a client may do.</summary>
[GenerateSerializer, Alias("mqtt.rule-source")]
public enum MqttRuleSource
{
    /// <summary>There are none: clients do not have to say who they are, and all but the node's own topics are open to them.</summary>
    None,

    /// <summary>The default rules: a device's client may use the topics of its own device, and the free ones.</summary>
    Defaults,

    /// <summary>A file of the operator.</summary>
    File,
}

/// <summary>A user who is to have a password.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.user-request")]
public sealed record MqttUserRequest
{
    /// <summary>The user's name: 1 to 256 characters, without <c>:</c>, <c>+</c> and <c>#</c>; a device's client is called like its device.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>The password, a secret of 1 to 65,535 bytes in UTF-8; null for one that the node makes.</summary>
    [Id(1)]
    public string? Password { get; init; }

    /// <summary>The name: what is a secret has no text of its own.</summary>
    public override string ToString() => Name;
}

/// <summary>A user who has got a password.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.user-change")]
public sealed record MqttUserChange
{
    /// <summary>The user's name.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>Whether the user is new; otherwise the password is.</summary>
    [Id(1)]
    public bool IsNew { get; init; }

    /// <summary>The password that the node has made, a secret of 128 bits; null when it was given.</summary>
    [Id(2)]
    public string? Password { get; init; }

    /// <summary>The name: what is a secret has no text of its own.</summary>
    public override string ToString() => Name;
}

/// <summary>A user who has no password any more.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.user-removal")]
public sealed record MqttUserRemoval
{
    /// <summary>How many connections were made with the password, and end.</summary>
    [Id(0)]
    public int Connections { get; init; }
}

/// <summary>A client's certificate with its key.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.certificate")]
public sealed record MqttCertificate
{
    /// <summary>The certificate, PEM.</summary>
    [Id(0)]
    public required string CertificatePem { get; init; }

    /// <summary>Its private key, PEM, a secret.</summary>
    [Id(1)]
    public required string KeyPem { get; init; }

    /// <summary>The node's own authority, which has made the certificate, PEM.</summary>
    [Id(2)]
    public required string CaPem { get; init; }

    /// <summary>When the certificate ends.</summary>
    [Id(3)]
    public DateTimeOffset NotAfter { get; init; }

    /// <summary>Whether the broker's certificate is of the same authority, so that the client knows the broker by it; otherwise an operator has given the broker one.</summary>
    [Id(4)]
    public bool IsBrokers { get; init; }

    /// <summary>When it ends: what is a secret has no text of its own.</summary>
    public override string ToString() => $"until {NotAfter:O}";
}

/// <summary>A certificate that the node has made for a client.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.certificate-view")]
public sealed record MqttCertificateView
{
    /// <summary>Its serial number, in hexadecimal digits without zeros before them.</summary>
    [Id(0)]
    public required string Serial { get; init; }

    /// <summary>Who its client is.</summary>
    [Id(1)]
    public required string User { get; init; }

    /// <summary>When it was made; null when the node does not know.</summary>
    [Id(2)]
    public DateTimeOffset? Issued { get; init; }

    /// <summary>When it ends.</summary>
    [Id(3)]
    public DateTimeOffset NotAfter { get; init; }

    /// <summary>When it was revoked; null while it is good.</summary>
    [Id(4)]
    public DateTimeOffset? Revoked { get; init; }

    /// <summary>Its place in a list: the user, a zero character and the serial number.</summary>
    public string Key => $"{User}\0{Serial}";
}

/// <summary>Certificates that nobody comes in with any more.</summary>
[GenerateSerializer, Immutable, Alias("mqtt.certificate-revocation")]
public sealed record MqttCertificateRevocation
{
    /// <summary>The serial numbers of those that were good before.</summary>
    [Id(0)]
    public ImmutableArray<string> Serials { get; init; } = [];

    /// <summary>How many connections were made with them, and end.</summary>
    [Id(1)]
    public int Connections { get; init; }

    /// <summary>Whether the node did not know the certificate: a serial number that was misread revokes nobody.</summary>
    [Id(2)]
    public bool IsUnknown { get; init; }
}
