using System.Collections.Immutable;
using Orleans.Concurrency;

namespace EdgeOrleans.Devices;

/// <summary>The twin of one device. Key: <c>namespace/name</c>. Changes are answered after they are on disk.</summary>
[Alias("IDeviceTwinGrain")]
public interface IDeviceTwinGrain : IGrainWithStringKey
{
    /// <summary>Everything the node knows of the device; null when it knows no such device.</summary>
    [Alias("Get")]
    Task<DeviceView?> GetAsync();

    /// <summary>Sets expected values, all or none, as a local update (reference 3.6); the device hears it as a delta.</summary>
    /// <param name="values">Property names and values.</param>
    /// <returns>The device after the change.</returns>
    /// <exception cref="RefusedException">404 no such device; 400 a value that its type or the device's model refuses.</exception>
    [Alias("SetExpected")]
    Task<DeviceView> SetExpectedAsync(ImmutableDictionary<string, string> values);

    /// <summary>Tells an observer of each change from now on, until it is gone or one minute has passed; call again to go on.</summary>
    /// <returns>The device as it is now; null when the node knows no such device.</returns>
    [Alias("Watch")]
    Task<DeviceView?> WatchAsync(IDeviceObserver observer);

    /// <summary>Ends <see cref="WatchAsync"/>.</summary>
    [Alias("Unwatch")]
    Task UnwatchAsync(IDeviceObserver observer);
}

/// <summary>Hears of the changes of a device.</summary>
[Alias("IDeviceObserver")]
public interface IDeviceObserver : IGrainObserver
{
    /// <summary>The device as it is after a change that is on disk; null after its removal.</summary>
    [Alias("Changed"), OneWay]
    Task ChangedAsync(DeviceView? device);
}
