using Microsoft.Extensions.Logging;

namespace EdgeOrleans.Edge.EventBus.Access;

/// <summary>
/// The file of users and the file of rules of this node, read again when they change. A change that cannot be used leaves what was in force
/// in force, and is said once.
/// </summary>
/// <param name="usersPath">The file of users; empty for none, and then there are none.</param>
/// <param name="rulesPath">The file of rules; empty for none, and then the default rules are in force.</param>
/// <param name="reserved">The node's own user, whose name nobody gets.</param>
/// <param name="time">For looking again.</param>
/// <param name="logger">For what was taken and what was not.</param>
internal sealed partial class AccessFiles(string usersPath, string rulesPath, string reserved, TimeProvider time, ILogger<AccessFiles> logger) : IDisposable
{
    // An editor writes a file in several steps; they are one change.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(250);

    // Watching misses files on network disks, and folders that are replaced.
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);

    private readonly UserFile? _users = usersPath.Length > 0 ? new UserFile(usersPath, reserved) : null;
    private readonly AclFile? _rules = rulesPath.Length > 0 ? new AclFile(rulesPath) : null;
    private readonly WatchedFile _usersWatch = new(usersPath, UserFile.Largest);
    private readonly WatchedFile _rulesWatch = new(rulesPath, AclFile.Largest);
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly Lock _reading = new();
    private volatile AccessState _current = new(0, Users.None, new DefaultRules(), null, null);
    private ITimer? _poll;
    private ITimer? _settled;
    private bool _isOver;

    /// <summary>The file of users; empty for none.</summary>
    public string UsersPath => usersPath;

    /// <summary>What is in force.</summary>
    public AccessState Current => _current;

    /// <summary>
    /// Something else is in force: what was granted before may have to be looked at again. Called in order of the versions, one at a time,
    /// on a thread of the pool or of the one who changes a user.
    /// </summary>
    public event Action<AccessState>? Changed;

    /// <summary>Reads the files and looks at them from now on.</summary>
    /// <exception cref="StartRefusedException">One is missing or wrong.</exception>
    public void Start()
    {
        try
        {
            lock (_reading)
            {
                _current = new AccessState(1, Users.None, new DefaultRules(), null, null);
                _current = _current with
                {
                    Users = _users is not null && _usersWatch.TakeChange() is { } users ? _users.Parse(users) : Users.None,
                    Rules = _rules is not null && _rulesWatch.TakeChange() is { } rules ? _rules.Parse(rules) : new DefaultRules(),
                };
            }
        }
        catch (AccessFileException e)
        {
            throw new StartRefusedException($"MQTT: {e.Message}");
        }

        WarnIfOpen();
        Watch();
    }

    /// <summary>Gives a user a password, in the file and at once in force.</summary>
    /// <returns>Whether the user is new.</returns>
    /// <exception cref="RefusedException">The name or the password is not good, there is no file, or it cannot be changed.</exception>
    public Task<bool> SetUserAsync(string user, ReadOnlyMemory<byte> password) => ChangeAsync(file => file.Set(user, password.Span));

    /// <summary>Takes a user out of the file, at once in force.</summary>
    /// <returns>Whether there was one.</returns>
    /// <inheritdoc cref="SetUserAsync"/>
    public Task<bool> RemoveUserAsync(string user) => ChangeAsync(file => file.Remove(user));

    /// <summary>Looks at the files now.</summary>
    public void Check()
    {
        lock (_reading)
        {
            if (_isOver || _current.Version == 0)
            {
                return;
            }

            var before = _current;
            var after = TakeRules(TakeUsers(before));
            if (after.Users == before.Users && after.Rules == before.Rules)
            {
                _current = after;
                return;
            }

            _current = after with { Version = before.Version + 1 };
            LogTaken(after.Users.Count, (after.Rules as AclRules)?.Count ?? 0);
            Tell();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_reading)
        {
            _isOver = true;
        }

        _watchers.ForEach(w => w.Dispose());
        _poll?.Dispose();
        _settled?.Dispose();
    }

    // Hashing and the disk take their time; they do not take it from a grain's turn.
    private async Task<bool> ChangeAsync(Func<UserFile, bool> change)
    {
        if (_users is null)
        {
            throw new RefusedException(409, "this node has no file of MQTT users; name one in its settings first");
        }

        try
        {
            return await Task.Run(() =>
            {
                var result = change(_users);
                Check();
                return result;
            });
        }
        catch (AccessFileException e)
        {
            throw new RefusedException(503, e.Message);
        }
    }

    private AccessState TakeUsers(AccessState state)
    {
        if (_users is null)
        {
            return state;
        }

        try
        {
            return _usersWatch.TakeChange() is { } bytes ? state with { Users = _users.Parse(bytes), UsersError = null } : state;
        }
        catch (AccessFileException e)
        {
            LogRefused(e.Message);
            return state with { UsersError = e.Message };
        }
    }

    private AccessState TakeRules(AccessState state)
    {
        if (_rules is null)
        {
            return state;
        }

        try
        {
            return _rulesWatch.TakeChange() is { } bytes ? state with { Rules = _rules.Parse(bytes), RulesError = null } : state;
        }
        catch (AccessFileException e)
        {
            LogRefused(e.Message);
            return state with { RulesError = e.Message };
        }
    }

    private void Tell()
    {
        try
        {
            Changed?.Invoke(_current);
        }
        catch (Exception e)
        {
            LogNotTold(e);
        }
    }

    private void Watch()
    {
        _settled = time.CreateTimer(_ => CheckAlone(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _poll = time.CreateTimer(_ => CheckAlone(), null, Poll, Poll);
        foreach (var folder in new[] { usersPath, rulesPath }.Where(p => p.Length > 0).Select(FolderOf).Distinct(StringComparer.Ordinal))
        {
            Watch(folder);
        }
    }

    private void Watch(string folder)
    {
        try
        {
            var watcher = new FileSystemWatcher(folder);
            _watchers.Add(watcher);
            watcher.Changed += (_, _) => Touch();
            watcher.Created += (_, _) => Touch();
            watcher.Deleted += (_, _) => Touch();
            watcher.Renamed += (_, _) => Touch();
            watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            LogUnwatched(e, folder, Poll);
        }
    }

    // A timer's exception would end the program.
    private void CheckAlone()
    {
        try
        {
            Check();
        }
        catch (Exception e)
        {
            LogFailed(e);
        }
    }

    private void Touch() => _settled?.Change(Settle, Timeout.InfiniteTimeSpan);

    private void WarnIfOpen()
    {
        if (_users is not null && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(usersPath) & UnixFileMode.OtherRead) != 0)
        {
            LogOpen(usersPath);
        }
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;

    [LoggerMessage(LogLevel.Information, "The files of MQTT's users and rules have changed: {Users} users and {Rules} rules are in force")]
    private partial void LogTaken(int users, int rules);

    [LoggerMessage(LogLevel.Error, "MQTT's users or rules are not taken, the old ones stay: {Reason}")]
    private partial void LogRefused(string reason);

    [LoggerMessage(LogLevel.Error, "MQTT's users or rules have changed, and not everybody could be told")]
    private partial void LogNotTold(Exception exception);

    [LoggerMessage(LogLevel.Error, "MQTT's users and rules could not be looked at, the old ones stay")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Warning, "{Folder} cannot be watched; it is looked at every {Poll}")]
    private partial void LogUnwatched(Exception exception, string folder, TimeSpan poll);

    [LoggerMessage(LogLevel.Warning, "Everybody on this machine can read {Path} with the hashes of passwords; close it with chmod 600")]
    private partial void LogOpen(string path);
}
