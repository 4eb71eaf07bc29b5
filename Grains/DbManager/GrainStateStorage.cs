using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace EdgeOrleans.DbManager;

/// <summary>Grain storage in the node's database: one row a state, JSON with a checksum, written with the group commit.</summary>
internal sealed partial class GrainStateStorage(
    Database database,
    GrainStateJson json,
    IActivatorProvider activators,
    TimeProvider time,
    ILogger<GrainStateStorage> logger) : IGrainStorage
{
    private const int Schema = 1;
    private const int LongestId = 1024;

    private const string SelectRow = "SELECT etag, schema, checksum, payload FROM grain_state WHERE state=?1 AND id=?2";
    private const string InsertRow =
        "INSERT INTO grain_state(state, id, etag, schema, checksum, payload) VALUES(?1, ?2, 1, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    private const string UpdateRow =
        "UPDATE grain_state SET etag=etag+1, schema=?3, checksum=?4, payload=?5 WHERE state=?1 AND id=?2 AND etag=?6";
    private const string DeleteRow = "DELETE FROM grain_state WHERE state=?1 AND id=?2 AND etag=?3";

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var row = await database.ReadAsync(db => Read(db, stateName, grainId));
        if (row is not null && row.Fault is null && TryParse<T>(row, out var state))
        {
            grainState.State = state;
            grainState.ETag = row.ETag.ToString(CultureInfo.InvariantCulture);
            grainState.RecordExists = true;
            return;
        }

        if (row is not null)
        {
            await SetAsideAsync(stateName, grainId, row);
        }

        Empty(grainState);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(grainState.State, json.Of<T>());
        var write = new WriteOperation(stateName, grainId, ETagOf(grainState.ETag), payload, grainState.State as IWritesAlongside);
        grainState.ETag = (await database.Enqueue(write)).ToString(CultureInfo.InvariantCulture);
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (ETagOf(grainState.ETag) is var etag and not 0)
        {
            await database.Enqueue(new ClearOperation(stateName, grainId, etag));
        }

        Empty(grainState);
    }

    private void Empty<T>(IGrainState<T> grainState)
    {
        grainState.State = activators.GetActivator<T>().Create();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private static StoredRow? Read(DbSession db, string stateName, GrainId grainId)
    {
        using var select = Key(db.Prepare(SelectRow), stateName, grainId);
        if (!select.Step())
        {
            return null;
        }

        var row = select.Row;
        var (schema, payload) = (row.GetInt64(1), row.GetBytes(3));
        if (row.GetInt64(2) != Checksum(payload))
        {
            return new StoredRow(row.GetInt64(0), payload, "its checksum does not match");
        }

        return schema > Schema
            ? throw new InvalidOperationException($"state {stateName} of {grainId} has schema {schema}, and this program knows schemas up to {Schema}")
            : new StoredRow(row.GetInt64(0), payload, null);
    }

    private bool TryParse<T>(StoredRow row, out T state)
    {
        try
        {
            state = JsonSerializer.Deserialize(row.Payload, json.Of<T>())!;
            return state is not null;
        }
        catch (JsonException)
        {
            state = default!;
            return false;
        }
    }

    private async Task SetAsideAsync(string stateName, GrainId grainId, StoredRow row)
    {
        var why = row.Fault ?? "it is no JSON of its type";
        LogRowDamaged(stateName, grainId, why);
        await database.RunAsync(db =>
        {
            db.Execute(
                "INSERT INTO damaged_row(origin, id, at, why, payload) VALUES(?1, ?2, ?3, ?4, ?5)",
                "grain_state/" + stateName,
                grainId.ToString(),
                time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
                why,
                row.Payload);
            db.Execute(DeleteRow, stateName, grainId.ToString(), row.ETag);
        });
    }

    private static long Checksum(ReadOnlySpan<byte> payload) => unchecked((long)XxHash3.HashToUInt64(payload));

    private static long ETagOf(string? etag) => etag is null ? 0 : long.Parse(etag, CultureInfo.InvariantCulture);

    // The id is the grain id's own bytes, type/key, without making a string of them for every write.
    private static DbStatement Key(DbStatement statement, string stateName, GrainId grainId)
    {
        var type = grainId.Type.AsSpan();
        var key = grainId.Key.AsSpan();
        var length = type.Length + 1 + key.Length;
        var id = length <= LongestId ? stackalloc byte[length] : new byte[length];
        type.CopyTo(id);
        id[type.Length] = (byte)'/';
        key.CopyTo(id[(type.Length + 1)..]);
        return statement.BindText(1, stateName).BindText(2, id);
    }

    private static InconsistentStateException Conflict(string stateName, GrainId grainId, long etag) =>
        new($"state {stateName} of {grainId} was changed or removed by somebody else", "unknown", etag == 0 ? "none" : etag.ToString(CultureInfo.InvariantCulture));

    [LoggerMessage(LogLevel.Error, "Stored state {State} of {Grain} is damaged: {Why}. It was moved to the table damaged_row; the grain starts empty")]
    private partial void LogRowDamaged(string state, GrainId grain, string why);

    private sealed record StoredRow(long ETag, byte[] Payload, string? Fault);

    private sealed class WriteOperation(string stateName, GrainId grainId, long etag, byte[] payload, IWritesAlongside? alongside) : Operation<long>
    {
        protected override long Change(DbSession db)
        {
            using (var write = Key(db.Prepare(etag == 0 ? InsertRow : UpdateRow), stateName, grainId))
            {
                write.Bind(3, Schema).Bind(4, Checksum(payload)).Bind(5, payload.AsSpan());
                if (etag != 0)
                {
                    write.Bind(6, etag);
                }

                if (write.Run() == 0)
                {
                    throw Conflict(stateName, grainId, etag);
                }
            }

            alongside?.WriteAlongside(db);
            return etag + 1;
        }
    }

    private sealed class ClearOperation(string stateName, GrainId grainId, long etag) : Operation<bool>
    {
        protected override bool Change(DbSession db)
        {
            using var delete = Key(db.Prepare(DeleteRow), stateName, grainId).Bind(3, etag);
            return delete.Run() == 1 ? true : throw Conflict(stateName, grainId, etag);
        }
    }
}
