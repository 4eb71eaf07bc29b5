using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>What the membership asks of a device. It is the same grain as <see cref="IDeviceTwinGrain"/>.</summary>
[Alias("edge.IDeviceMember")]
internal interface IDeviceMember : IGrainWithStringKey
{
    /// <summary>The cloud names the device, with this JSON.</summary>
    [Alias("Join")]
    Task JoinAsync(byte[] member);

    /// <summary>The device goes. What its neighbours hear is this JSON, or its id and name without one.</summary>
    /// <returns>Whether the node knew it.</returns>
    [Alias("Leave")]
    Task<bool> LeaveAsync(byte[]? member);

    /// <summary>A document names the device.</summary>
    /// <returns><c>created</c>, <c>configured</c> or <c>unchanged</c>.</returns>
    [Alias("Register")]
    Task<string> RegisterAsync(DeviceRegistration registration);

    /// <summary>The cloud's object of the device says what its model is; no values come from it.</summary>
    [Alias("Describe")]
    Task DescribeAsync(string model, string description);

    /// <summary>The device tells the cloud everything it knows.</summary>
    [Alias("Tell")]
    Task TellAsync();

    /// <summary>The device's model says something else from now on.</summary>
    [Alias("ModelChanged")]
    Task ModelChangedAsync(ModelRules? rules);
}
