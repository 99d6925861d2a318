"""Hashes: the numbers are those of TF 2.21."""

import numpy as np
import pytest

import lamina as tf
from lamina import ops

LARGE = 2**63 - 1
STRINGS = [
    "",
    "a",
    "ab",
    "abc",
    "abcd",
    "hello12",
    "exactly8",
    "a" * 15,
    "a" * 16,
    "b" * 17,
    "c" * 32,
    "d" * 33,
    "e" * 48,
    "f" * 64,
    "The quick brown fox jumps over the lazy dog and then keeps running ok",
    "x" * 128,
    "y" * 129,
    "zq" * 100,
    "é€😀",
]
"""One or more for each path of FarmHash64, and both ends of its ranges of lengths."""


def reference(name):
    return [int(n) for n in _REFERENCE[name].split()]


_REFERENCE = {
    "farmhash": """
        1936946117179621456 3694432073954588132 3066228220894225695 2640714258260161385
        1897425971756105985 6616997257275245881 8516530894211705085 7652042098944930705
        3481940567716887985 7868278047411761142 3111694730716386590 5950609783077175716
        7464536233792041931 1547595845336470182 4598310439027080716 5868382771906808855
        1914834069162296259 4389830677932053264 5354699785565127615
    """,
    "siphash": """
        4928313950774450900 7077939996121841354 3814769135020288330 6899845086433867945
        7808205235328240072 7514795317150028587 855316885757915584 7173493777116050081
        4888818019409729659 1597805770052677358 8979594723958086029 189402715778134439
        2228450138598770122 2768566283806626040 8765086486330762719 9092433302990318978
        1008084490997324550 7423464576031478390 8167388050527644152
    """,
    "integers": """
        5975597238397796928 80785766752259042 7333874265151076430 3284000456603616081
        6000784015536866124 882600748797058222 798859481435320310 3430003927990384362
        7102376421209267306 1493431938208774112 3516461496058286512
    """,
}


def test_strings_have_the_farmhash_of_tf():
    assert ops.to_hash_bucket_fast(STRINGS, LARGE).numpy().tolist() == reference("farmhash")


def test_strings_have_the_siphash_of_tf():
    found = ops.to_hash_bucket_strong(STRINGS, LARGE, key=[133, 137])
    assert found.numpy().tolist() == reference("siphash")


def test_integers_are_hashed_by_their_decimal_text():
    numbers = [0, 1, -1, 12, 123, 1234, -12345, 12345678, 123456789, -(2**63), 2**63 - 1]
    x = tf.constant(numbers, tf.int64)
    assert ops.hash_bucket(x, LARGE).numpy().tolist() == reference("integers")
    text = tf.constant([str(n) for n in numbers])
    for key in (None, (5, 7)):
        a, b = ops.hash_bucket(x, 97, key), ops.hash_bucket(text, 97, key)
        assert a.numpy().tolist() == b.numpy().tolist()


@pytest.mark.parametrize("dtype", [tf.int8, tf.int32, tf.uint8, tf.uint64])
def test_all_integers_hash_as_int64(dtype):
    x = tf.constant([0, 7, 100], dtype)
    wide = ops.hash_bucket(tf.cast(x, tf.int64), 1000)
    assert ops.hash_bucket(x, 1000).numpy().tolist() == wide.numpy().tolist()


def test_integers_are_hashed_in_compiled_functions():
    x = tf.constant([[3, 4], [5, 6]])
    compiled = tf.function(lambda x: ops.hash_bucket(x, 10))
    assert np.array_equal(compiled(x), ops.hash_bucket(x, 10))


def test_fingerprints_keep_the_shape():
    found = ops.fingerprint64(tf.constant([["a", "b"]]))
    assert (found.shape, found.dtype) == ([1, 2], tf.uint64)
    assert ops.fingerprint64(tf.constant([], tf.string)).shape == [0]


def test_crosses_are_those_of_tf():
    cities = tf.constant(["A", "B", "A", "B", "A"])
    numbers = tf.constant([101, 101, 101, 102, 102])
    assert ops.cross_hashes([cities, numbers], 5).numpy().tolist() == [1, 4, 1, 1, 3]
    assert ops.cross_hashes([1, 2, -3], 100).numpy() == 88


@pytest.mark.parametrize("buckets", [0, -1])
def test_buckets_must_be_positive(buckets):
    with pytest.raises(tf.errors.InvalidArgumentError, match="`num_buckets` must be at least 1"):
        ops.to_hash_bucket_fast(["a"], buckets)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`num_buckets` must be at least 1"):
        ops.to_hash_bucket_strong(["a"], buckets, [1, 2])
