using System.Diagnostics.CodeAnalysis;

namespace EdgeOrleans.Edge.EdgeHub;

/// <summary>Where a cloud is: its door for links and its door for certificates.</summary>
/// <param name="Link"><c>wss://host:port</c>.</param>
/// <param name="Bootstrap"><c>https://host:port</c>.</param>
internal sealed record CloudAddress(Uri Link, Uri Bootstrap)
{
    private const int LinkPort = 10000;
    private const int BootstrapPort = 10002;

    /// <summary>The address of one node's link, as edgecore dials it (kubeedge-cloudlink 1.1).</summary>
    public Uri LinkOf(string project, string node) => new(Link, $"/{project}/{node}/events");

    /// <summary>Reads the two settings; the second may be empty.</summary>
    public static bool TryParse(string server, string httpServer, [NotNullWhen(true)] out CloudAddress? address, [NotNullWhen(false)] out string? reason)
    {
        address = null;
        reason = $"has the server \"{server}\", but it must be host:port or wss://host:port";
        if (Read(server.Trim(), "wss", LinkPort) is not { } link)
        {
            return false;
        }

        var bootstrap = httpServer.Trim() is { Length: > 0 } given
            ? Read(given, "https", BootstrapPort)
            : new UriBuilder("https", link.Host, BootstrapPort).Uri;
        if (bootstrap is null)
        {
            reason = $"has the httpServer \"{httpServer}\", but it must be https://host:port";
            return false;
        }

        (address, reason) = (new CloudAddress(link, bootstrap), null);
        return true;
    }

    private static Uri? Read(string text, string scheme, int port)
    {
        var hasScheme = text.Contains("://", StringComparison.Ordinal);
        return Uri.TryCreate(hasScheme ? text : $"{scheme}://{text}", UriKind.Absolute, out var uri)
            && uri.Scheme == scheme && uri.Host.Length > 0 && uri.UserInfo.Length == 0 && uri.PathAndQuery == "/"
            ? HasPort(text, hasScheme) ? uri : new UriBuilder(uri) { Port = port }.Uri
            : null;
    }

    // A port that is the scheme's own (443) would look as if none was given.
    private static bool HasPort(string text, bool hasScheme)
    {
        var authority = (hasScheme ? text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..] : text).TrimEnd('/');
        return authority.LastIndexOf(':') > authority.LastIndexOf(']');
    }
}
