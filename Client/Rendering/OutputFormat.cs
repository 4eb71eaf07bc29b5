namespace EdgeOrleans.Client.Rendering;

/// <summary>How a result is printed.</summary>
internal enum OutputFormat
{
    Table,
    Wide,
    Json,
    Yaml,
}
