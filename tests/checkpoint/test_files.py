"""The files of a checkpoint: what TensorFlow 2.21 wrote is read, and damage is named."""

import struct

import ml_dtypes
import numpy as np
import pytest

import lamina as tf
from lamina.checkpoint.bundle import Bundle, write_bundle
from lamina.checkpoint.table import read_table, write_table
from lamina.protos.wire import field, numbered, read_varint, varint

# tf.train.Checkpoint(v=tf.Variable([1., 2.])).write(path) in TensorFlow 2.21, in hexadecimal.
INDEX = (
    "00000608011a020801001c0d5f434845434b504f494e5441424c455f4f424a4543545f475241504808071200"
    "2008285235f3caf1d2001c0f762f2e415454524942555445532f5641524941424c455f56414c554508011204"
    "12020802280835593ce5350000000001000000005b5e8b4b000000000100000000c0f2a1b000010277006b00"
    "0000000100000000b95fa82b70087d0e00000000000000000000000000000000000000000000000000000000"
    "000000000000000057fb808b247547db"
)
DATA = (
    "0000803f000000404d9d529e7b0a0b0a0508011201762a0208010a3e12380a0e5641524941424c455f56414c"
    "554512085661726961626c651a1c762f2e415454524942555445532f5641524941424c455f56414c55452a02"
    "0801"
)


@pytest.fixture
def prefix(tmp_path):
    path = tmp_path / "w"
    (tmp_path / "w.index").write_bytes(bytes.fromhex(INDEX))
    (tmp_path / "w.data-00000-of-00001").write_bytes(bytes.fromhex(DATA))
    return str(path)


def test_a_checkpoint_of_tensorflow_is_read(prefix):
    other = tf.Variable([0.0, 0.0])
    tf.train.Checkpoint(v=other).restore(prefix).assert_consumed()
    np.testing.assert_array_equal(other.numpy(), [1.0, 2.0])


def test_the_bytes_written_are_those_of_tensorflow(prefix, tmp_path):
    tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(tmp_path / "x")
    name = "v/.ATTRIBUTES/VARIABLE_VALUE"
    ours, theirs = Bundle(tmp_path / "x"), Bundle(prefix)
    assert ours.entries.keys() == theirs.entries.keys()
    assert ours.entries[name][:2] == theirs.entries[name][:2]
    assert ours.entries[name].checksum == theirs.entries[name].checksum


def test_all_kinds_of_tensors_come_back(tmp_path):
    tensors = {
        "a/b": np.arange(6.0).reshape(2, 3),
        "bf": np.array([1.5], ml_dtypes.bfloat16),
        "empty": np.zeros((0, 3), np.int8),
        "scalar": np.array(True),
        "strings": np.array([b"x", b"yz" * 100, b""], object),
        "word": np.array(b"one", object),
    }
    tensors |= {f"layer/{i}/kernel": np.full(3, i, np.float32) for i in range(300)}
    write_bundle(str(tmp_path / "t"), tensors)
    found = Bundle(tmp_path / "t")
    assert sorted(found.entries) == sorted(tensors)
    for name, value in tensors.items():
        assert found.read(name).dtype == value.dtype
        np.testing.assert_array_equal(found.read(name), value)


def test_a_table_of_several_blocks_comes_back():
    entries = [(f"{i:06d}".encode(), bytes(500)) for i in range(1500)]
    assert read_table(write_table(entries)) == dict(entries)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**63, -1])
def test_varints_come_back(value):
    assert read_varint(varint(value), 0)[0] == value & (2**64 - 1)


def test_fields_of_each_kind_are_read():
    message = field(1, 5) + field(2, "ab") + field(6, 7, fixed32=True)
    assert list(numbered(message)) == [(1, 5), (2, b"ab"), (6, 7)]


def read_all(prefix):
    reader = tf.train.load_checkpoint(prefix)
    return [reader.get_tensor(key) for key in reader.get_variable_to_shape_map()]


@pytest.mark.parametrize(
    ("ending", "change"),
    [
        ("index", lambda b: b[:-1] + b"\x00"),
        ("index", lambda b: b[:10] + bytes([b[10] ^ 1]) + b[11:]),
        ("index", lambda b: b[:20]),
        ("data-00000-of-00001", lambda b: bytes([b[0] ^ 1]) + b[1:]),
        ("data-00000-of-00001", lambda b: b[:3]),
    ],
)
def test_damage_is_named(ending, change, prefix, tmp_path):
    path = tmp_path / f"w.{ending}"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(tf.errors.DataLossError, match=str(tmp_path / "w")):
        read_all(prefix)


def test_a_size_beyond_the_file_takes_no_memory(tmp_path):
    write_bundle(str(tmp_path / "t"), {"v": np.zeros(2, np.float32)})
    entry = Bundle(tmp_path / "t").entries["v"]
    shape = field(2, field(1, 2**40))
    raw = field(1, 1) + field(2, shape) + field(5, 2**42) + field(6, entry.checksum, fixed32=True)
    table = write_table([(b"", field(1, 1)), (b"v", raw)])
    (tmp_path / "t.index").write_bytes(table)
    with pytest.raises(tf.errors.DataLossError, match="they would end after the file"):
        Bundle(tmp_path / "t").read("v")


def test_strings_of_another_length_are_refused(tmp_path):
    write_bundle(str(tmp_path / "t"), {"s": np.array([b"ab", b"c"], object)})
    path = tmp_path / "t.data-00000-of-00001"
    path.write_bytes(struct.pack("B", 9) + path.read_bytes()[1:])
    with pytest.raises(tf.errors.DataLossError, match="another length"):
        Bundle(tmp_path / "t").read("s")


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="missing the checkpoint suffix"):
        tf.train.Checkpoint().restore(tmp_path / "none")
    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file"):
        tf.train.load_checkpoint(tmp_path)
