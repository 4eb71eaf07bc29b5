using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeOrleans.DbManager;

/// <summary>How grain states become JSON: by the source-generated contexts that were registered, each with its own options.</summary>
internal sealed class GrainStateJson(IEnumerable<GrainStateJson.Source> sources)
{
    private readonly Source[] _sources = [.. sources];
    private readonly ConcurrentDictionary<Type, JsonTypeInfo> _types = new();

    public JsonTypeInfo<T?> Of<T>() => (JsonTypeInfo<T?>)_types.GetOrAdd(typeof(T), static (type, self) => self.Find(type), this);

    private JsonTypeInfo Find(Type type)
    {
        foreach (var source in _sources)
        {
            if (source.Context.GetTypeInfo(type) is { } found)
            {
                return found;
            }
        }

        throw new InvalidOperationException(
            $"no JSON context knows the grain state {type}; name it in a JsonSerializerContext and register that with services.AddGrainStateJson(...)");
    }

    internal sealed record Source(JsonSerializerContext Context);
}

public static class GrainStateJsonRegistration
{
    /// <summary>Lets grain states of a source-generated JSON context be stored.</summary>
    public static IServiceCollection AddGrainStateJson(this IServiceCollection services, JsonSerializerContext context) =>
        services.AddSingleton(new GrainStateJson.Source(context));
}
