using EdgeOrleans.DbManager;

namespace EdgeOrleans.Edge.EventBus;

/// <summary>
/// The row of one QoS 2 request of a client. It travels with the request and is in the commit of what that changes: whoever finds the change
/// on disk finds the row too, and does not carry out the request again when it comes again.
/// </summary>
internal sealed class ReceivedRow(long session, ushort id) : IWritesAlongside
{
    private readonly Lock _gate = new();
    private bool _isWritten;
    private bool _isClosed;

    /// <summary>Writes the row, unless its request was given up meanwhile: then its identifier may mean another message by now.</summary>
    public void WriteAlongside(DbSession db)
    {
        lock (_gate)
        {
            if (!_isClosed)
            {
                MqttStore.Received(db, session, id);
                _isWritten = true;
            }
        }
    }

    /// <summary>From now on it is not written.</summary>
    /// <returns>Whether it was. Whether the commit holds is what the answer to the request says.</returns>
    public bool Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            return _isWritten;
        }
    }
}
