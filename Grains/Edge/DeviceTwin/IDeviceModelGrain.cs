using EdgeOrleans.Devices;

namespace EdgeOrleans.Edge.DeviceTwin;

/// <summary>One device model. Key: <c>namespace/name</c>.</summary>
[Alias("edge.IDeviceModelGrain")]
internal interface IDeviceModelGrain : IGrainWithStringKey
{
    /// <summary>What it says; null when there is no such model.</summary>
    [Alias("GetRules")]
    Task<ModelRules?> GetRulesAsync();

    /// <summary>Stores what it says from now on.</summary>
    /// <returns><c>created</c>, <c>configured</c> or <c>unchanged</c>.</returns>
    [Alias("Put")]
    Task<string> PutAsync(ModelRules rules);

    /// <summary>Removes it.</summary>
    /// <returns>Whether there was one.</returns>
    [Alias("Remove")]
    Task<bool> RemoveAsync();
}
