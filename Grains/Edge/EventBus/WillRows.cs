using System.Text;
using EdgeOrleans.DbManager;
using EdgeOrleans.Edge.EventBus.Access;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>A last will as the disk has it.</summary>
internal sealed record StoredWill(string Client, LastWill Will);

/// <summary>Last wills as rows. A row is there from before the CONNACK until the client has said goodbye or the will is published.</summary>
internal static class WillRows
{
    private const string InsertWill = """
        INSERT INTO mqtt_will(number, client, owner, by_password, topic, payload, properties, qos, retain, delay, expiry, due, checksum)
        VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        """;

    public static void Insert(DbSession db, string client, LastWill will) => db.Execute(
        InsertWill,
        will.Number,
        client,
        will.Identity?.User,
        will.IsByPassword,
        will.Message.Topic,
        will.Message.Payload,
        will.Message.Properties,
        will.Message.Qos,
        will.Message.Retain,
        (long)will.Delay,
        (long)will.Expiry,
        will.Due,
        MqttStore.Checksum(will.Message));

    public static void Delete(DbSession db, long number) => db.Execute("DELETE FROM mqtt_will WHERE number=?1", number);

    /// <summary>The client is lost: its will is due at a time.</summary>
    public static void Due(DbSession db, long number, long due) => db.Execute("UPDATE mqtt_will SET due=?2 WHERE number=?1", number, due);

    /// <summary>The node ends in order: those that are connected are not lost.</summary>
    public static void DeleteOfConnected(DbSession db) => db.Execute("DELETE FROM mqtt_will WHERE due IS NULL");

    /// <summary>All of them in their order, and the numbers of those that are damaged.</summary>
    public static (List<StoredWill> Wills, List<long> Damaged) Read(DbSession db)
    {
        var rows = db.Query(
            "SELECT number, client, owner, by_password, topic, payload, properties, qos, retain, delay, expiry, due, checksum FROM mqtt_will ORDER BY number", One);
        return ([.. rows.Where(static row => !row.IsDamaged).Select(static row => row.Will)],
            [.. rows.Where(static row => row.IsDamaged).Select(static row => row.Will.Will.Number)]);
    }

    private static (StoredWill Will, bool IsDamaged) One(DbRow row)
    {
        var (client, owner, topic) = (row.GetString(1), row.GetStringOrNull(2), row.GetString(4));
        var message = new MqttMessage
        {
            Topic = topic,
            TopicUtf8 = Encoding.UTF8.GetBytes(topic),
            Payload = row.GetBytes(5),
            Properties = row.GetBytes(6),
            Qos = (int)row.GetInt64(7),
            Retain = row.GetInt64(8) != 0,
            Created = 0,
        };
        var will = new LastWill(message, (uint)row.GetInt64(9), (uint)row.GetInt64(10))
        {
            Number = row.GetInt64(0),
            Identity = new AccessIdentity(client, owner, owner is null),
            IsByPassword = row.GetInt64(3) != 0,
            Due = row.IsNull(11) ? null : row.GetInt64(11),
        };
        return (new StoredWill(client, will), MqttStore.Checksum(message) != row.GetInt64(12));
    }
}
