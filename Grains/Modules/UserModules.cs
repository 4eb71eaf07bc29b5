using System.Reflection;
using System.Runtime.Loader;
using Microsoft.Extensions.Configuration;

namespace EdgeOrleans.Modules;

/// <summary>An assembly of <c>modules.user.assemblies</c> cannot be used; the sentence names it.</summary>
public sealed class UserModuleException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The modules in the user's own assemblies.</summary>
internal static class UserModules
{
    private const string Section = "modules:user:assemblies";

    /// <summary>The module classes of all assemblies that the settings list.</summary>
    public static IReadOnlyList<Type> Load(IConfiguration settings) =>
        [.. settings.GetSection(Section).GetChildren().Select(path => path.Value).OfType<string>().SelectMany(LoadOne)];

    private static List<Type> LoadOne(string setting)
    {
        var path = Path.GetFullPath(setting);
        if (!File.Exists(path))
        {
            throw new UserModuleException($"modules.user.assemblies: there is no file {path}");
        }

        try
        {
            if (IsOfTheHost(AssemblyName.GetAssemblyName(path)))
            {
                throw new UserModuleException($"modules.user.assemblies: {path} is a part of the program itself, not an assembly with modules of the user");
            }

            var types = new UserAssemblies(path).LoadFromAssemblyPath(path).GetExportedTypes();
            var modules = types.Where(static type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IModule))).ToList();
            return modules.Count > 0
                ? modules
                : throw new UserModuleException($"modules.user.assemblies: {path} has no public class that implements {typeof(IModule).FullName}");
        }
        catch (Exception e) when (e is BadImageFormatException or FileLoadException or FileNotFoundException or TypeLoadException or ReflectionTypeLoadException)
        {
            throw new UserModuleException($"modules.user.assemblies: {path} cannot be loaded: {e.Message}", e);
        }
    }

    // Two copies of an assembly would be two sets of the same contracts.
    private static bool IsOfTheHost(AssemblyName name)
    {
        try
        {
            return AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName(name.Name!)) is not null;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>What the host has comes from the host, contracts before all; the rest from beside the user's assembly.</summary>
    private sealed class UserAssemblies(string path) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(path))
    {
        private readonly AssemblyDependencyResolver _beside = new(path);

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            try
            {
                return Default.LoadFromAssemblyName(assemblyName);
            }
            catch (FileNotFoundException)
            {
                return _beside.ResolveAssemblyToPath(assemblyName) is { } own ? LoadFromAssemblyPath(own) : null;
            }
        }

        protected override IntPtr LoadUnmanagedDll(string unmanagedDllName) =>
            _beside.ResolveUnmanagedDllToPath(unmanagedDllName) is { } own ? LoadUnmanagedDllFromPath(own) : IntPtr.Zero;
    }
}
