namespace EdgeOrleans.Mqtt;

/// <summary>
/// Who may connect to the MQTT broker of a node, for its operator. Key: <see cref="Key"/>. It keeps nothing itself, so any number of it works
/// side by side.
/// </summary>
/// <remarks>
/// A node whose <c>modules.eventBus</c> does not run, or that has a broker outside alone, refuses every call with 409 and says why. A cloud has no
/// such grain.
/// </remarks>
[Alias("IMqttUsersGrain")]
public interface IMqttUsersGrain : IGrainWithStringKey
{
    /// <summary>The key of the one list of a node.</summary>
    const string Key = "mqtt-users";

    /// <summary>The names of those who have a password, in their order, and where the rules come from that say what they may do.</summary>
    /// <param name="query">Its name is a user's, in which <c>*</c> stands for any characters.</param>
    /// <exception cref="RefusedException">400 the count.</exception>
    [Alias("List")]
    Task<MqttUsers> ListAsync(MqttQuery query);

    /// <summary>
    /// Gives a user a password, a new one if there is one already: the connections that were made with the old one end. It is on the disk and
    /// in force when this returns.
    /// </summary>
    /// <exception cref="RefusedException">
    /// 400 the name or the password; 409 the node has no file of users; 503 the file cannot be changed; 507 there are too many users.
    /// </exception>
    [Alias("Set")]
    Task<MqttUserChange> SetAsync(MqttUserRequest request);

    /// <summary>
    /// Takes a user's password away: the connections that were made with it end. Certificates of the same name stay good until they are revoked. It is on the disk and
    /// in force when this returns.
    /// </summary>
    /// <exception cref="RefusedException">404 no such user; 409 the node has no file of users; 503 the file cannot be changed.</exception>
    [Alias("Remove")]
    Task<MqttUserRemoval> RemoveAsync(string name);

    /// <summary>Makes a certificate with which a client is a user without a password. Its key is in the answer and nowhere else.</summary>
    /// <param name="name">The user; one with a password or not.</param>
    /// <param name="lifetime">How long it is good.</param>
    /// <exception cref="RefusedException">400 the name or the lifetime; 409 this node makes no certificates for clients; 503 it cannot now.</exception>
    [Alias("IssueCertificate")]
    Task<MqttCertificate> IssueCertificateAsync(string name, TimeSpan lifetime);

    /// <summary>The certificates that the node has made for clients and that have not ended, those that were revoked too; by user and serial number.</summary>
    /// <param name="query">Its name is a user's, in which <c>*</c> stands for any characters. A row's name for the next page is its <see cref="MqttCertificateView.Key"/>.</param>
    /// <exception cref="RefusedException">400 the count; 409 this node makes no certificates for clients.</exception>
    [Alias("ListCertificates")]
    Task<MqttPage<MqttCertificateView>> ListCertificatesAsync(MqttQuery query);

    /// <summary>
    /// Takes certificates of a user back: connections that were made with them end, and nobody comes in with them any more. It is on the disk and
    /// in force when this returns. What is revoked already stays as it is.
    /// </summary>
    /// <param name="name">The user.</param>
    /// <param name="serial">The serial number of the one certificate, which the node need not know; null for all that it knows and that have not ended.</param>
    /// <exception cref="RefusedException">
    /// 400 the name or the serial number; 404 there is none, or it is another user's; 409 this node makes no certificates for clients; 503 the file
    /// cannot be changed; 507 it is full.
    /// </exception>
    [Alias("RevokeCertificates")]
    Task<MqttCertificateRevocation> RevokeCertificatesAsync(string name, string? serial);
}
