"""tf.strings: each expected value is TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf

S = tf.strings


def same(found, expected):
    assert np.asarray(found.numpy(), object).tolist() == np.asarray(expected, object).tolist()


def rows(found):
    return found.to_list()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: S.lower("AÉ"), "aÉ".encode()),
        (lambda: S.lower("AÉ", encoding="utf-8"), "aé".encode()),
        (lambda: S.upper(["a", "bc"]), [b"A", b"BC"]),
        (lambda: S.strip([" \t\n a\x0b\x0c\r"]), [b"a"]),
        (lambda: S.length(["hé", "a"]), [3, 1]),
        (lambda: S.length(["hé", "a"], unit="UTF8_CHAR"), [2, 1]),
        (lambda: S.substr("hello", 1, -1), b"ello"),
        (lambda: S.substr("hello", 5, 1), b""),
        (lambda: S.substr(["héllo"], 1, 2, unit="UTF8_CHAR"), ["él".encode()]),
        (lambda: S.substr([["ab", "cd"], ["ef", "gh"]], [0, 1], [1, 1]),
         [[b"a", b"d"], [b"e", b"h"]]),
        (lambda: S.regex_replace("baac", "a*", "x"), b"xbxcx"),
        (lambda: S.regex_replace("baac", "(a)(a)", r"\2-\0\\"), b"ba-aa\\c"),
        (lambda: S.regex_replace("baac", "(a)(a)", r"\3"), b"baac"),
        (lambda: S.regex_replace("baac", "a", "x", replace_global=False), b"bxac"),
        (lambda: S.regex_replace("a.b,c!", "[[:punct:]]", ""), b"abc"),
        (lambda: S.regex_replace("aΩbж1", r"\p{Greek}|\p{Nd}", "."), "a.bж.".encode()),
        (lambda: S.regex_replace("a[b]", r"[^[]", "."), b".[.."),
        (lambda: S.regex_replace("ab\n", "b$", "."), b"ab\n"),
        (lambda: S.regex_full_match(["abc", "abcd"], "a.c"), [True, False]),
        (lambda: S.join(["a", ["b", "c"]], "-"), [b"a-b", b"a-c"]),
        (lambda: S.reduce_join([["a", "b"], ["c", "d"]], [0, 1]), b"acbd"),
        (lambda: S.reduce_join([["a", "b"], ["c", "d"]], separator=","), b"a,b,c,d"),
        (lambda: S.reduce_join([["a", "b"], ["c", "d"]], -1, True), [[b"ab"], [b"cd"]]),
        (lambda: S.unsorted_segment_join([["a", "b"], ["c", "d"], ["e", "f"]], [1, 0, 1], 3, "-"),
         [[b"c", b"d"], [b"a-e", b"b-f"], [b"", b""]]),
        (lambda: S.format("t: {}, {}", (tf.range(10), tf.constant("x"))),
         b't: [0 1 2 ... 7 8 9], "x"'),
        (lambda: S.format("t: {}", tf.constant([[1.5, 2], [3, 4]])), b"t: [[1.5 2]\n [3 4]]"),
        (lambda: S.to_number(["1", " 2.5 ", "1e3", "inf", "0x10"]), [1, 2.5, 1000, np.inf, 16]),
        (lambda: S.to_number(["1 ", "-7"], tf.int32), [1, -7]),
        (lambda: S.to_hash_bucket(["a", "bcd"], 1000), [868, 358]),
        (lambda: S.split("a b"), [b"a", b"b"]),
        (lambda: S.bytes_split("ab"), [b"a", b"b"]),
        (lambda: S.ngrams(["a", "b", "c"], 2), [b"a b", b"b c"]),
        (lambda: S.ngrams([["a", "b", "c"], ["d", "e", "f"]], [1, 2]),
         [[b"a", b"b", b"c", b"a b", b"b c"], [b"d", b"e", b"f", b"d e", b"e f"]]),
        (lambda: S.ngrams(["a", "b"], 3, pad_values=("<", ">"), padding_width=1),
         [b"< a b", b"a b >"]),
        (lambda: S.ngrams(["a", "b"], 3, preserve_short_sequences=True), [b"a b"]),
        (lambda: S.ngrams(["a"], 5, pad_values="_", padding_width=1,
                          preserve_short_sequences=True), [b"_ a _"]),
        (lambda: S.unicode_encode([[97, 98], [99, 100]], "UTF-16-BE"),
         [b"\0a\0b", b"\0c\0d"]),
        (lambda: S.unicode_encode([97, 0xD800, 0x110000, 98], "UTF-8"),
         b"a\xef\xbf\xbd\xef\xbf\xbdb"),
        (lambda: S.unicode_transcode([b"a\xe9"], "ISO-8859-1", "UTF-8"), ["aé".encode()]),
        (lambda: S.unicode_script([0x41, 0x3B1, 0x5D0, 0x30, 0x300, -1, 0x20FFFF]),
         [25, 14, 19, 0, 1, -1, -1]),
        (lambda: S.unicode_decode(b"a\xffb\xe2\x28\xa1\xf0\x9f\x98", "UTF-8"),
         [97, 65533, 98, 65533, 40, 65533, 65533]),
        (lambda: S.unicode_decode(b"a\0b", "UTF-16-BE"), [24832, 65533]),
    ],
)  # fmt: skip
def test_values(call, expected):
    same(call(), expected)


@pytest.mark.parametrize(
    ("x", "options", "expected"),
    [
        ([1.5, float("nan"), -2], {}, [b"1.500000", b"nan", b"-2.000000"]),
        ([1.5, 1e10], {"scientific": True}, [b"1.500000e+00", b"1.000000e+10"]),
        ([1.5, 1e10], {"shortest": True}, [b"1.5", b"1e+10"]),
        ([3.14159], {"precision": 2, "width": 8, "fill": "0"}, [b"00003.14"]),
        ([3, -2], {"width": 5, "fill": "-"}, [b"3    ", b"-2   "]),
        ([True, False], {"width": 8}, [b"true", b"false"]),
        ([1 + 2j], {}, [b"(1.000000,2.000000)"]),
        (["a"], {}, [b"a"]),
    ],
)
def test_as_string(x, options, expected):
    same(tf.as_string(x, **options), expected)


@pytest.mark.parametrize(
    ("text", "limit", "blank", "space"),
    [
        ("a b", 1, [b"a", b"b"], [b"a", b"b"]),
        ("a b", 2, [b"a", b"b", b""], [b"a", b"b"]),
        ("a b ", 2, [b"a", b"b", b""], [b"a", b"b", b""]),
        ("  a  b", 1, [b"a", b"b"], [b"", b" a  b"]),
        ("  a  b", 0, [b"  a  b"], [b"  a  b"]),
        ("", 1, [], [b""]),
    ],
)
def test_split_with_a_limit(text, limit, blank, space):
    same(S.split(text, None, limit), blank)
    same(S.split(text, " ", limit), space)


def test_split_of_a_vector_is_ragged():
    assert rows(S.split([" a  b ", ""])) == [[b"a", b"b"], []]


def test_split_of_a_matrix_has_two_ragged_axes():
    found = S.split([["a b", "c"], ["d", "e f g"]])
    assert rows(found) == [[[b"a", b"b"], [b"c"]], [[b"d"], [b"e", b"f", b"g"]]]


def test_decoding_with_offsets_gives_the_first_bytes():
    points, starts = S.unicode_decode_with_offsets(b"a\xffb\xe2\x82c\xf0\x9f\x98\x80", "UTF-8")
    same(points, [97, 65533, 98, 65533, 99, 128512])
    same(starts, [0, 1, 2, 3, 5, 6])


def test_splitting_in_characters_of_a_vector_is_ragged():
    found = S.unicode_split([b"ab\xff", "é"], "UTF-8")
    assert rows(found) == [[b"a", b"b", b"\xef\xbf\xbd"], ["é".encode()]]


def test_functions_of_elements_take_ragged_values():
    words = tf.ragged.constant([["A"], ["Bb", "C"]])
    assert rows(S.lower(words)) == [[b"a"], [b"bb", b"c"]]
    assert rows(S.join([words, "x"], "-")) == [[b"A-x"], [b"Bb-x", b"C-x"]]
    same(S.reduce_join(words, axis=1, separator=" "), [b"A", b"Bb C"])
    assert rows(S.ngrams(words, 2)) == [[], [b"Bb C"]]
    codes = S.unicode_decode(["ab", "c"], "UTF-8")
    same(S.unicode_encode(codes, "UTF-8"), [b"ab", b"c"])


def test_strings_work_inside_tf_function():
    @tf.function
    def words(text):
        return S.length(text), S.lower(text)

    size, small = words(tf.constant("ABC"))
    assert (int(size), small.numpy()) == (3, b"abc")


def test_strings_work_inside_dataset_map():
    data = tf.data.Dataset.from_tensor_slices(["1,2", "3,4"])
    found = data.map(lambda s: S.to_number(S.split(s, ",")))
    assert [f.numpy().tolist() for f in found] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: S.lower(tf.constant(1)), tf.errors.InvalidArgumentError,
         "must be a string Tensor"),
        (lambda: S.lower("A", encoding="x"), tf.errors.InvalidArgumentError, "only utf-8"),
        (lambda: S.length("a", unit="X"), tf.errors.InvalidArgumentError, '"BYTE", "UTF8_CHAR"'),
        (lambda: S.substr("hello", 10, 1), tf.errors.InvalidArgumentError,
         "pos 10 out of range for string b'hello' at index 0"),
        (lambda: S.substr("a", 0, [1]), tf.errors.InvalidArgumentError,
         "should have the same shape"),
        (lambda: S.regex_replace("a", "(?=a)", ""), tf.errors.InvalidArgumentError,
         r"Invalid pattern: \(\?=a\), error: invalid perl operator"),
        (lambda: S.substr("abc", 1.0, 2.0), tf.errors.InvalidArgumentError, "must be integers"),
        (
            lambda: S.to_hash_bucket_strong("a", 5, [1]),
            tf.errors.InvalidArgumentError,
            "`key` must be two integers",
        ),
        (lambda: S.regex_replace("a", "(a", ""), tf.errors.InvalidArgumentError, "Invalid pattern"),
        (lambda: S.regex_replace("a", "[a", ""), tf.errors.InvalidArgumentError, "missing ]"),
        (lambda: S.regex_replace("a", r"\p{Elvish}", ""), tf.errors.InvalidArgumentError,
         "invalid character class range"),
        (lambda: S.to_number(["abc"]), tf.errors.InvalidArgumentError,
         "could not correctly convert string: abc"),
        (lambda: S.to_number(["99999999999"], tf.int32), tf.errors.InvalidArgumentError, "999"),
        (lambda: S.to_number("1", tf.float16), tf.errors.InvalidArgumentError, "`out_type`"),
        (lambda: S.join([["a", "b", "c"], ["b", "c"]]), tf.errors.InvalidArgumentError,
         r"Input shapes do not match: \[3\] vs. \[2\]"),
        (lambda: S.reduce_join([["a"]], axis=5), tf.errors.OutOfRangeError,
         "Invalid reduction dimension 5 for input with 2"),
        (lambda: S.unsorted_segment_join(["a"], [5], 1), tf.errors.InvalidArgumentError,
         "segment_ids are not allowed to exceed"),
        (lambda: S.unsorted_segment_join(["a"], [0, 1], 2), tf.errors.InvalidArgumentError,
         "must be the start of that of `inputs`"),
        (lambda: S.format("{} {}", tf.constant(1)), ValueError, "expects 2 tensors"),
        (lambda: S.ngrams(["a"], 0), ValueError, "must be greater than 0. Got 0"),
        (lambda: S.ngrams(["a"], 1, padding_width=-1), ValueError, "Got -1"),
        (lambda: S.ngrams(["a"], 2, pad_values="_", padding_width=0), ValueError, "Got 0"),
        (lambda: S.ngrams(["a"], 2, padding_width=1), ValueError, "pad_values must be provided"),
        (lambda: S.ngrams("a", 2), ValueError, "Data must have rank>0"),
        (lambda: S.ngrams(["a"], 2, pad_values=("a",)), TypeError, "pad_values must be"),
        (lambda: S.unicode_decode(b"\xff", "UTF-8", "strict"), tf.errors.InvalidArgumentError,
         "Invalid formatting on input string"),
        (lambda: S.unicode_decode("a", "FOO"), tf.errors.InvalidArgumentError,
         "Could not create converter for input encoding: FOO"),
        (lambda: S.unicode_decode("a", "UTF-8", "x"), tf.errors.InvalidArgumentError, "`errors`"),
        (lambda: S.unicode_decode("a", "UTF-8", replacement_char=-1),
         tf.errors.InvalidArgumentError, "replacement_char out of unicode codepoint range"),
        (lambda: S.unicode_encode([0xD800], "UTF-8", "strict"), tf.errors.InvalidArgumentError,
         "Code point is out of range"),
        (lambda: S.unicode_encode(97, "UTF-8"), ValueError, "rank must be at least 1"),
        (lambda: S.unicode_transcode("a", "UTF-8", "UTF-99"), tf.errors.InvalidArgumentError,
         "`output_encoding`"),
        (lambda: S.to_hash_bucket("a", 0), tf.errors.InvalidArgumentError, "at least 1"),
        (lambda: tf.as_string([3], fill="x"), tf.errors.InvalidArgumentError,
         'Fill argument not supported: "x"'),
        (lambda: tf.as_string([3], precision=2), tf.errors.InvalidArgumentError,
         "precision not supported for datatype int32"),
        (lambda: tf.as_string([3], scientific=True), tf.errors.InvalidArgumentError,
         "not supported for datatype int32"),
        (lambda: tf.as_string([1.0], scientific=True, shortest=True),
         tf.errors.InvalidArgumentError, "Cannot select both"),
        (lambda: S.split("a", sep=3), TypeError, "`sep` must be one string; got 3"),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (b"\x00h\x20\xac", "UTF-16"),
        (b"\xfe\xff\x00h\x20\xac", "UTF-16"),
        (b"\xff\xfeh\x00\xac\x20", "UTF-16"),
        (b"\x00\x00\x00h\x00\x00\x20\xac", "UTF-32"),
        (b"\xff\xfe\x00\x00h\x00\x00\x00\xac\x20\x00\x00", "UTF-32"),
    ],
)
def test_marks_say_the_order_of_bytes_and_else_the_largest_is_first(text, encoding):
    found = tf.strings.unicode_transcode([text], encoding, "UTF-8")
    assert found.numpy().tolist() == ["h€".encode()]
