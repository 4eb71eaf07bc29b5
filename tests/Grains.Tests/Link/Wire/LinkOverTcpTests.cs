using System.Net;
using System.Net.WebSockets;
using EdgeOrleans.Beehive;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Link.Wire;

/// <summary>The same link over Kestrel, a real socket and the client that a node dials with.</summary>
public sealed class LinkOverTcpTests : IAsyncLifetime
{
    private static readonly LinkSocketOptions Options = new() { PingInterval = TimeSpan.FromMilliseconds(50) };

    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(1));
    private readonly TaskCompletionSource<RunningLink> _accepted = new();
    private WebApplication _server = null!;
    private string? _extensions;

    private CancellationToken Patience => _patience.Token;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.UseWebSockets();
        _server.Run(AcceptAsync);
        await _server.StartAsync(Patience);
    }

    [Fact]
    public async Task Both_ends_talk_and_close_in_order()
    {
        using var client = new ClientWebSocket();
        Options.Apply(client.Options);
        await client.ConnectAsync(Address(), Patience);
        await using var node = new RunningLink(client, Options);
        var cloud = await _accepted.Task.WaitAsync(Patience);
        var large = new string('x', 3_000_000);

        for (var number = 0; number < 500; number++)
        {
            await node.Link.SendAsync(Envelopes.Of("twin", "resource", "update", number.ToString()), Patience);
            await cloud.Link.SendAsync(Envelopes.Of("devicecontroller", "twin", "update", number.ToString()), Patience);
        }

        await node.Link.SendAsync(Envelopes.Of("bus", "user", "upload", "large") with { Content = Message.Text(large) }, Patience);
        for (var number = 0; number < 500; number++)
        {
            Assert.Equal(number.ToString(), (await node.HearAsync()).Route.Resource);
            Assert.Equal(number.ToString(), (await cloud.HearAsync()).Route.Resource);
        }

        Assert.Equal(large, (await cloud.HearAsync()).ContentAsText());
        Assert.Null(_extensions);
        Assert.True(string.IsNullOrEmpty(client.SubProtocol));

        node.Link.Close("the node stops");
        Assert.Equal(LinkEndReason.ClosedHere, (await node.EndAsync()).Reason);
        Assert.Equal((LinkEndReason.ClosedByPeer, "the other end closed with 1000 \"the node stops\""), Told(await cloud.EndAsync()));
    }

    [Fact]
    public async Task A_server_that_is_gone_is_heard_at_once()
    {
        using var client = new ClientWebSocket();
        Options.Apply(client.Options);
        await client.ConnectAsync(Address(), Patience);
        await using var node = new RunningLink(client, Options);
        var cloud = await _accepted.Task.WaitAsync(Patience);

        cloud.Link.Dispose();

        Assert.Equal(LinkEndReason.Broken, (await node.EndAsync()).Reason);
        Assert.Equal(LinkEndReason.ClosedHere, (await cloud.EndAsync()).Reason);
    }

    [Fact]
    public async Task A_server_that_stops_tells_its_nodes()
    {
        using var client = new ClientWebSocket();
        Options.Apply(client.Options);
        await client.ConnectAsync(Address(), Patience);
        await using var node = new RunningLink(client, Options);
        (await _accepted.Task.WaitAsync(Patience)).Cancel();

        Assert.Equal((LinkEndReason.ClosedByPeer, "the other end closed with 1001 \"cancelled here\""), Told(await node.EndAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        if (_accepted.Task.IsCompletedSuccessfully)
        {
            await (await _accepted.Task).DisposeAsync();
        }

        await _server.DisposeAsync();
        _patience.Dispose();
    }

    private async Task AcceptAsync(HttpContext context)
    {
        _extensions = context.Request.Headers.SecWebSocketExtensions;
        var socket = await context.WebSockets.AcceptWebSocketAsync(Options.ForAccept());
        var link = new RunningLink(socket, Options);
        _accepted.SetResult(link);
        await link.Run;
    }

    private Uri Address()
    {
        var address = new Uri(_server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return new Uri($"ws://127.0.0.1:{address.Port}/e632aba927ea4ac2b575ec1603d56f10/edge-lab-1/events");
    }

    private static (LinkEndReason Reason, string Detail) Told(LinkEnd end) => (end.Reason, end.Detail);
}
