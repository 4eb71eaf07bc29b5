using EdgeOrleans.Devices;

namespace EdgeOrleans.Client.Watching;

/// <summary>Something a watcher should see: the device as it is now (null: removed), or a note about the watching itself.</summary>
internal sealed record WatchEvent(DeviceView? Device, string? Note = null);
