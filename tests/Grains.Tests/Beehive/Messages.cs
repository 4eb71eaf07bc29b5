namespace EdgeOrleans.Beehive;

internal static class Messages
{
    public static Message Numbered(int number) => About($"number/{number}");

    public static Message About(string resource) => Message.Create("test", "test", Operations.Update, resource, default, 0);

    public static Message Answer(this Message question, string source = "test") => question.Respond(source, Message.Text("answer"), 0);
}
