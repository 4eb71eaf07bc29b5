using System.Globalization;
using System.Text;
using EdgeOrleans.TestKit;

namespace EdgeOrleans.Edge.EventBus.Access;

public sealed class UserFileTests : IDisposable
{
    private const string Hash = "$7$1$i4vQWskBvF4P+88q$6GwFMpDLj72Azc5GUmKY9SOfO7cRi5c5k6hVaXo3WSaus28xjV0OWObpkX23s27WAGohUgY8HQiAvfSBAOJYIA==";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Path => _folder.PathOf("users");

    private UserFile File => new(Path, "node");

    [Fact]
    public void Users_are_read_between_comments_and_empty_lines()
    {
        Write($"# people\n\nanna:{Hash}\r\n  \n#bert:{Hash}\ndefault/pump-1 : {Hash} \n");

        Assert.Equal(["anna", "default/pump-1"], File.Load().Names);
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_first_name()
    {
        Write($"\uFEFFanna:{Hash}\n");

        Assert.NotNull(File.Load().Find("anna"));
    }

    [Fact]
    public void A_new_user_can_log_in_and_nobody_else_reads_the_file()
    {
        Assert.True(File.Set("default/pump-1", "secret"u8));

        Assert.True(File.Load().Find("default/pump-1")!.Verify("secret"u8));
        Assert.True(OperatingSystem.IsWindows() || System.IO.File.GetUnixFileMode(Path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.DoesNotContain("secret", System.IO.File.ReadAllText(Path), StringComparison.Ordinal);
        Assert.Equal([Path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_new_password_takes_the_place_of_the_old_one_and_all_else_stays()
    {
        Write($"# first\nanna:{Hash}\n\nbert:{Hash}\n# last, without an end");

        Assert.False(File.Set("anna", "new"u8));

        var lines = System.IO.File.ReadAllLines(Path);
        Assert.Equal("# first", lines[0]);
        Assert.StartsWith("anna:$7$100000$", lines[1], StringComparison.Ordinal);
        Assert.Equal(["", $"bert:{Hash}", "# last, without an end"], lines[2..]);
    }

    [Fact]
    public void A_user_is_added_at_the_end()
    {
        Write($"anna:{Hash}\r\n# comment");

        Assert.True(File.Set("bert", "b"u8));

        Assert.Equal(["anna", "bert"], File.Load().Names);
        Assert.StartsWith("bert:", System.IO.File.ReadAllLines(Path)[2], StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_who_is_removed_is_gone_and_removing_one_who_is_not_there_changes_nothing()
    {
        Write($"# all\nanna:{Hash}\nbert:{Hash}\n");

        Assert.True(File.Remove("anna"));
        Assert.Equal($"# all\nbert:{Hash}\n", System.IO.File.ReadAllText(Path));

        var written = System.IO.File.GetLastWriteTimeUtc(Path);
        Assert.False(File.Remove("anna"));
        Assert.Equal(written, System.IO.File.GetLastWriteTimeUtc(Path));
    }

    [Fact]
    public void Removing_from_no_file_makes_none()
    {
        Assert.False(File.Remove("anna"));
        Assert.False(System.IO.File.Exists(Path));
    }

    [Fact]
    public void What_somebody_else_has_written_meanwhile_stays()
    {
        var file = File;
        file.Set("anna", "a"u8);
        System.IO.File.AppendAllText(Path, $"# by hand\nbert:{Hash}\n");

        file.Set("carl", "c"u8);

        Assert.Equal(["anna", "bert", "carl"], file.Load().Names);
        Assert.Contains("# by hand", System.IO.File.ReadAllText(Path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_at_the_same_moment_are_all_kept()
    {
        var file = File;

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => file.Set(Name(i), "x"u8))));

        Assert.Equal(20, file.Load().Count);
    }

    [Fact]
    public void A_file_that_is_replaced_at_the_last_moment_is_left_as_it_is()
    {
        Write("theirs");

        Assert.False(TextFile.Replace(Path, "ours", () => false));

        Assert.Equal("theirs", System.IO.File.ReadAllText(Path));
        Assert.Equal([Path], Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("node")]
    [InlineData("a:b")]
    [InlineData("a#")]
    [InlineData("")]
    public void A_bad_name_is_not_written(string name)
    {
        var refused = Assert.Throws<RefusedException>(() => File.Set(name, "x"u8));

        Assert.Equal(400, refused.Code);
        Assert.False(System.IO.File.Exists(Path));
    }

    [Fact]
    public void A_password_has_1_to_65535_bytes()
    {
        Assert.Throws<RefusedException>(() => File.Set("anna", default));
        Assert.Throws<RefusedException>(() => File.Set("anna", new byte[65_536]));
        Assert.True(File.Set("anna", new byte[65_535]));
    }

    [Fact]
    public void A_link_is_read_and_not_written_through()
    {
        var target = _folder.Write("elsewhere/users", $"anna:{Hash}\n");
        System.IO.File.CreateSymbolicLink(Path, target);

        Assert.NotNull(File.Load().Find("anna"));
        var error = Assert.Throws<AccessFileException>(() => File.Set("bert", "b"u8));

        Assert.Contains("link", error.Message, StringComparison.Ordinal);
        Assert.Equal($"anna:{Hash}\n", System.IO.File.ReadAllText(target));
    }

    [Fact]
    public void A_link_where_the_new_file_is_written_is_not_followed()
    {
        var victim = _folder.Write("victim", "untouched");
        System.IO.File.CreateSymbolicLink(Path + ".part", victim);

        File.Set("anna", "a"u8);

        Assert.Equal("untouched", System.IO.File.ReadAllText(victim));
        Assert.NotNull(File.Load().Find("anna"));
    }

    [Theory]
    [InlineData("geheim", 2)]
    [InlineData("anna:geheim", 2)]
    [InlineData("anna:", 2)]
    [InlineData(":geheim", 2)]
    [InlineData("node:" + Hash, 2)]
    [InlineData("a+b:" + Hash, 2)]
    [InlineData("anna:$6$geheim$geheim", 2)]
    [InlineData("anna:" + Hash + ":geheim", 2)]
    public void A_wrong_line_is_named_and_not_shown(string line, int number)
    {
        Write($"# users\n{line}\n");

        var error = Assert.Throws<AccessFileException>(() => File.Load());

        Assert.Equal(number, error.Line);
        Assert.StartsWith($"{Path}, line {number}: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("i4vQ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_who_is_there_twice_is_an_error_of_the_second_line()
    {
        Write($"anna:{Hash}\nbert:{Hash}\nanna:{Hash}\n");

        Assert.Equal(3, Assert.Throws<AccessFileException>(() => File.Load()).Line);
    }

    [Fact]
    public void A_broken_file_is_not_changed()
    {
        Write("broken\n");

        Assert.Throws<AccessFileException>(() => File.Set("anna", "a"u8));
        Assert.Throws<AccessFileException>(() => File.Remove("anna"));

        Assert.Equal("broken\n", System.IO.File.ReadAllText(Path));
    }

    [Fact]
    public void Text_that_is_no_UTF8_is_an_error_of_its_line()
    {
        System.IO.File.WriteAllBytes(Path, [.. Encoding.UTF8.GetBytes($"# größe\nanna:{Hash}\n"), (byte)'a', 0xFF, (byte)'\n']);

        Assert.Equal(3, Assert.Throws<AccessFileException>(() => File.Load()).Line);
    }

    [Fact]
    public void A_file_that_is_not_there_is_said_so() =>
        Assert.Contains("no such file", Assert.Throws<AccessFileException>(() => File.Load()).Message, StringComparison.Ordinal);

    [Fact]
    public void A_folder_is_no_file()
    {
        Directory.CreateDirectory(Path);

        Assert.Throws<AccessFileException>(() => File.Load());
    }

    [Fact]
    public void A_file_that_is_too_large_is_refused()
    {
        Write(new string('#', UserFile.Largest + 1));

        Assert.Contains("larger", Assert.Throws<AccessFileException>(() => File.Load()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_an_end_is_read_up_to_the_bound()
    {
        Assert.SkipUnless(System.IO.File.Exists("/dev/zero"), "there is no /dev/zero");

        Assert.Contains("larger", Assert.Throws<AccessFileException>(() => new UserFile("/dev/zero", "").Load()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_full_takes_no_more_users_and_lets_go_of_some()
    {
        Write($"#{new string('x', UserFile.Largest - 200)}\nanna:{Hash}\n");

        Assert.Equal(507, Assert.Throws<RefusedException>(() => File.Set("bert", "x"u8)).Code);
        Assert.Equal(["anna"], File.Load().Names);
        Assert.True(File.Remove("anna"));
    }

    private void Write(string text) => System.IO.File.WriteAllText(Path, text);

    private static string Name(int number) => "user-" + number.ToString(CultureInfo.InvariantCulture);
}
