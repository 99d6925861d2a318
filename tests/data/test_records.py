"""TFRecord files: checksums, compression, damage."""

import os

import pytest

import lamina as tf
from lamina.data.records import crc32c, masked_crc, read_records


def _by_bit(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_crc32c_of_the_standard_check_value():
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 66, 255, 256, 257, 512, 513, 4097])
def test_crc32c_of_rows_equals_the_bitwise_definition(size):
    data = bytes((i * 37 + 11) % 256 for i in range(size))
    assert crc32c(data) == _by_bit(data)


def test_masked_crc_is_rotated_and_moved():
    crc = crc32c(b"abc")
    assert masked_crc(b"abc") == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


@pytest.mark.parametrize("compression", [None, "", "GZIP", "ZLIB"])
def test_records_come_back_from_each_compression(tmp_path, compression):
    records = [b"", b"a", bytes(1000), b"x" * 100_000]
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(path, compression) as writer:
        for record in records:
            writer.write(record)
    assert list(read_records(path, compression)) == records


def test_a_file_of_tensorflow_is_read(tmp_path):
    # tf.io.TFRecordWriter of TensorFlow 2.21 wrote b"abc".
    raw = b"\x03\x00\x00\x00\x00\x00\x00\x00" + masked_crc(b"\3" + bytes(7)).to_bytes(4, "little")
    raw += b"abc" + masked_crc(b"abc").to_bytes(4, "little")
    (tmp_path / "a").write_bytes(raw)
    assert list(read_records(str(tmp_path / "a"))) == [b"abc"]


def _written(tmp_path):
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"hello")
    return path, bytearray(path.read_bytes())


def test_a_file_that_is_cut_off_is_truncated(tmp_path):
    path, raw = _written(tmp_path)
    path.write_bytes(raw[:-3])
    with pytest.raises(tf.errors.DataLossError, match="truncated record at 0"):
        list(read_records(path))


def test_a_changed_byte_is_noticed(tmp_path):
    path, raw = _written(tmp_path)
    raw[13] ^= 1
    path.write_bytes(raw)
    with pytest.raises(tf.errors.DataLossError, match="corrupted record at 12"):
        list(read_records(path))


def test_a_changed_length_is_noticed(tmp_path):
    path, raw = _written(tmp_path)
    raw[0] ^= 1
    path.write_bytes(raw)
    with pytest.raises(tf.errors.DataLossError, match="corrupted record at 0"):
        list(read_records(path))


def test_a_plain_file_is_no_gzip_file(tmp_path):
    path, _ = _written(tmp_path)
    with pytest.raises(tf.errors.DataLossError, match="not a whole GZIP file"):
        list(read_records(path, "GZIP"))


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="No such file"):
        list(read_records(tmp_path / "nope"))


def test_an_unknown_compression_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r'must be "", "GZIP", "ZLIB" or None; got \'LZ4\''):
        tf.io.TFRecordWriter(os.fspath(tmp_path / "a"), "LZ4")


def test_a_closed_writer_refuses(tmp_path):
    writer = tf.io.TFRecordWriter(os.fspath(tmp_path / "a"))
    writer.close()
    with pytest.raises(tf.errors.FailedPreconditionError, match="the writer is closed"):
        writer.write(b"a")


def test_only_bytes_are_records(tmp_path):
    with (
        tf.io.TFRecordWriter(os.fspath(tmp_path / "a")) as writer,
        pytest.raises(TypeError, match="`record` must be bytes; got 3"),
    ):
        writer.write(3)


def test_options_set_the_compression(tmp_path):
    options = tf.io.TFRecordOptions("GZIP", compression_level=9)
    with tf.io.TFRecordWriter(tmp_path / "a", options) as writer:
        writer.write(bytes(10_000))
    assert (tmp_path / "a").stat().st_size < 200
