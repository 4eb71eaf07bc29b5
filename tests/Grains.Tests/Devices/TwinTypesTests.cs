namespace EdgeOrleans.Devices;

public sealed class TwinTypesTests
{
    [Theory]
    [InlineData("0"), InlineData("-5"), InlineData("9223372036854775807"), InlineData("-9223372036854775808"), InlineData("007")]
    public void A_whole_number_of_64_bits_is_an_int(string value) => Assert.Null(TwinTypes.WhyNot("int", value));

    [Theory]
    [InlineData(""), InlineData("-"), InlineData("1.0"), InlineData("1e3"), InlineData("9223372036854775808"), InlineData(" 1"), InlineData("1\0"), InlineData("1_0")]
    public void Anything_else_is_no_int(string value) => Assert.NotNull(TwinTypes.WhyNot("integer", value));

    [Theory]
    [InlineData("1"), InlineData("1.5"), InlineData(".5"), InlineData("5."), InlineData("1e5"), InlineData("-1E-5"), InlineData("NaN"), InlineData("nan")]
    [InlineData("Inf"), InlineData("-inf"), InlineData("+Infinity"), InlineData("0x1p4"), InlineData("0x_1_2.3_4p+1_2"), InlineData("1_000.5"), InlineData("1e-400")]
    [InlineData("0x1.fffffffffffffp1023"), InlineData("0x1p-2000"), InlineData("1.7976931348623157e308")]
    public void What_Go_reads_as_a_float_is_a_float(string value) => Assert.Null(TwinTypes.WhyNot("float", value));

    [Theory]
    [InlineData(""), InlineData("."), InlineData("e5"), InlineData("1e"), InlineData("1e400"), InlineData("0x1"), InlineData("0xp1"), InlineData("0x1p1024")]
    [InlineData("_1"), InlineData("1_"), InlineData("1__0"), InlineData("1_.5"), InlineData("-NaN"), InlineData("1 "), InlineData("1,5"), InlineData("0x1.fffffffffffffcp1023")]
    public void What_Go_does_not_read_as_a_float_is_none(string value) => Assert.NotNull(TwinTypes.WhyNot("float", value));

    [Theory]
    [InlineData("boolean", "true", true), InlineData("boolean", "True", false), InlineData("double", "1", false), InlineData("Updated", "1", false)]
    [InlineData("", "anything", true), InlineData("string", "", true), InlineData("INT", "1", false)]
    public void A_type_that_is_not_known_takes_nothing(string type, string value, bool fits) => Assert.Equal(fits, TwinTypes.WhyNot(type, value) is null);

    [Fact]
    public void Names_have_up_to_128_and_values_up_to_512_of_the_allowed_characters()
    {
        Assert.True(TwinTypes.IsName(new string('k', 128)));
        Assert.False(TwinTypes.IsName(new string('k', 129)));
        Assert.False(TwinTypes.IsName(""));
        Assert.False(TwinTypes.IsName("a b"));
        Assert.True(TwinTypes.HasAllowedCharacters("-_.,:/@#"));
        Assert.True(TwinTypes.HasAllowedCharacters(new string('v', 512)));
        Assert.False(TwinTypes.HasAllowedCharacters(new string('v', 513)));
        Assert.False(TwinTypes.HasAllowedCharacters("abc\n"));
        Assert.False(TwinTypes.HasAllowedCharacters("ä"));
    }
}
