"""tf.io, tf.audio and the image files: each expected value is TensorFlow 2.21's."""

import builtins
import gzip
import zlib

import numpy as np
import pytest

import lamina as tf

io, gfile = tf.io, tf.io.gfile
Invalid = tf.errors.InvalidArgumentError
rng = np.random.default_rng(0)
PIXELS = rng.integers(0, 256, (12, 10, 4)).astype(np.uint8)
SMOOTH = np.linspace(0, 255, 16 * 16 * 3).reshape(16, 16, 3).astype(np.uint8)


def values(found):
    return [v.numpy().tolist() for v in found]


# ---- files


def test_files_are_written_and_read(tmp_path):
    path = str(tmp_path / "new" / "a.txt")
    io.write_file(path, "text")
    assert io.read_file(path).numpy() == b"text"
    assert io.matching_files(str(tmp_path / "new" / "*")).numpy().tolist() == [path.encode()]


def test_read_file_works_in_dataset_map(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    data = tf.data.Dataset.list_files(str(tmp_path / "*")).map(io.read_file)
    assert [d.numpy() for d in data] == [b"abc"]


def test_gfile_handles_directories(tmp_path):
    base = gfile.join(str(tmp_path), "a", "b")
    gfile.makedirs(base)
    with gfile.GFile(gfile.join(base, "x.txt"), "w") as file:
        file.write("one\ntwo\n")
    assert gfile.GFile(gfile.join(base, "x.txt")).readlines() == ["one\n", "two\n"]
    assert gfile.GFile(gfile.join(base, "x.txt"), "rb").read(3) == b"one"
    gfile.copy(gfile.join(base, "x.txt"), gfile.join(base, "y.txt"))
    gfile.rename(gfile.join(base, "y.txt"), gfile.join(base, "z.txt"))
    assert gfile.listdir(base) == ["x.txt", "z.txt"]
    assert gfile.stat(gfile.join(base, "z.txt")).length == 8
    assert gfile.glob(gfile.join(base, "z*")) == [gfile.join(base, "z.txt")]
    assert [names for _, _, names in gfile.walk(str(tmp_path))] == [[], [], ["x.txt", "z.txt"]]
    gfile.remove(gfile.join(base, "z.txt"))
    gfile.rmtree(str(tmp_path / "a"))
    assert not gfile.exists(base)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda p: io.read_file(p + "/no"), tf.errors.NotFoundError, "No such file"),
        (lambda p: io.read_file([p]), Invalid, "must be scalar"),
        (lambda p: gfile.listdir(p + "/no"), tf.errors.NotFoundError, "Could not find directory"),
        (lambda p: gfile.remove(p + "/no"), tf.errors.NotFoundError, "No such file"),
        (lambda p: gfile.rmtree(p + "/no"), tf.errors.NotFoundError, "not found"),
        (lambda p: gfile.mkdir(p + "/a/b"), tf.errors.NotFoundError, "No such file"),
        (lambda p: gfile.copy(p + "/f", p + "/f"), tf.errors.AlreadyExistsError, "already exists"),
        (lambda p: gfile.stat(p + "/no"), tf.errors.NotFoundError, "No such file"),
        (lambda p: gfile.GFile(p + "/f", "q"), Invalid, "mode is not"),
        (lambda p: gfile.GFile(p + "/f", "w").read(), tf.errors.PermissionDeniedError, "reading"),
        (lambda p: gfile.GFile(p + "/f").write("a"), tf.errors.PermissionDeniedError, "writing"),
        (lambda p: gfile.exists(3), TypeError, "a path must be a string"),
    ],
)
def test_file_errors(tmp_path, call, error, text):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(error, match=text):
        call(str(tmp_path))


# ---- bytes as numbers


def test_decode_raw():
    assert io.decode_raw(["abcd"], tf.int16).numpy().tolist() == [[25185, 25699]]
    found = io.decode_raw(["abcd"], tf.int16, little_endian=False)
    assert found.numpy().tolist() == [[24930, 25444]]
    found = io.decode_raw(["abc", "efghi"], tf.uint8, fixed_length=4)
    assert found.numpy().tolist() == [[97, 98, 99, 0], [101, 102, 103, 104]]


def test_decode_csv():
    found = io.decode_csv(['1,2.5,"a,b"', '2,,""'], [[0], [1.5], ["x"]])
    assert values(found) == [[1, 2], [2.5, 1.5], [b"a,b", b"x"]]
    assert values(io.decode_csv([["1,2"], ["3,4"]], [[0], [7]])) == [[[1], [3]], [[2], [4]]]
    found = io.decode_csv(["1;NA;3"], [[0], [7], [0]], field_delim=";", na_value="NA")
    assert values(found) == [[1], [7], [3]]
    assert values(io.decode_csv(["1,2,3"], [[0], [7]], select_cols=[0, 2])) == [[1], [3]]
    assert values(io.decode_csv(['"a""b",c'], [[""], [""]])) == [[b'a"b'], [b"c"]]
    found = io.decode_csv(['"a""b",c'], [[""], [""]], use_quote_delim=False)
    assert values(found) == [[b'"a""b"'], [b"c"]]


def test_base64_and_compression():
    assert io.encode_base64("hi?>~").numpy() == b"aGk_Pn4"
    assert io.encode_base64("a", pad=True).numpy() == b"YQ=="
    assert io.decode_base64(["aGk_Pn4", "YQ=="]).numpy().tolist() == [b"hi?>~", b"a"]
    assert io.decode_compressed(zlib.compress(b"abc"), "ZLIB").numpy() == b"abc"
    assert io.decode_compressed(gzip.compress(b"abc"), "GZIP").numpy() == b"abc"


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (np.float32([[1, 2]]),
         b'\x08\x01\x12\x08\x12\x02\x08\x01\x12\x02\x08\x02"\x08\0\0\x80?\0\0\0@'),
        (np.array(["a", "bc"], object), b"\x08\x07\x12\x04\x12\x02\x08\x02B\x01aB\x02bc"),
        (np.array(3.5), b'\x08\x02\x12\x00"\x08\0\0\0\0\0\0\x0c@'),
        (np.array([True]), b'\x08\n\x12\x04\x12\x02\x08\x01"\x01\x01'),
        (np.zeros((0, 2), np.int32), b"\x08\x03\x12\x06\x12\x00\x12\x02\x08\x02"),
    ],
)  # fmt: skip
def test_serialized_tensors_are_tfs(value, raw):
    x = tf.constant(value)
    assert io.serialize_tensor(x).numpy() == raw
    again = io.parse_tensor(raw, x.dtype)
    assert again.shape == x.shape
    assert np.asarray(again.numpy()).tolist() == np.asarray(x.numpy()).tolist()


def test_sparse_tensors_come_back():
    x = tf.sparse.from_dense([[0, 3], [1, 0]])
    rows = io.serialize_many_sparse(x)
    assert rows.shape == (2, 3)
    assert tf.sparse.to_dense(io.deserialize_many_sparse(rows, tf.int32)).numpy().tolist() == [
        [0, 3],
        [1, 0],
    ]


def test_edit_distance():
    said = tf.SparseTensor([[0, 0], [1, 0]], ["a", "b"], [2, 1])
    meant = tf.SparseTensor([[0, 1], [1, 0], [1, 1]], ["a", "b", "c"], [2, 2])
    assert tf.edit_distance(said, meant).numpy().tolist() == [0.0, 0.5]
    with pytest.raises(TypeError, match="a SparseTensor was expected"):
        tf.edit_distance([1], meant)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: io.decode_raw(["abcde"], tf.int16), Invalid, "not a multiple of 2"),
        (lambda: io.decode_raw(["abc", "efgh"], tf.uint8), Invalid, "all be the same size"),
        (lambda: io.decode_raw(["a"], tf.int16, fixed_length=3), Invalid, "must be a multiple"),
        (lambda: io.decode_csv(",1", [tf.constant([], tf.int32), [0]]), Invalid, "Field 0 is req"),
        (lambda: io.decode_csv("1", [[0], [0]]), Invalid, "Expect 2 fields but have 1"),
        (lambda: io.decode_csv("a", [[0]]), Invalid, "not a valid int32: a"),
        (lambda: io.decode_csv('a"b,c', [[""], [""]]), Invalid, "Unquoted fields cannot"),
        (lambda: io.decode_csv('"a"b,c', [[""], [""]]), Invalid, "Quoted field has to end"),
        (lambda: io.decode_csv("1", [[0]], field_delim="ab"), ValueError, "one character"),
        (lambda: io.decode_csv("1,2", [[0]], select_cols=[1, 0]), ValueError, "ascending"),
        (lambda: io.decode_csv("1", [[True]]), Invalid, "columns are float32"),
        (lambda: io.decode_base64("a+/b"), Invalid, "Invalid character found in base64"),
        (lambda: io.decode_compressed("abc", "GZIP"), tf.errors.DataLossError, "inflate"),
        (lambda: io.decode_compressed("abc", "FOO"), Invalid, "are supported compressions"),
        (lambda: io.parse_tensor(io.serialize_tensor([1]), tf.float32), Invalid, "Type mismatch"),
        (lambda: io.parse_tensor(b"zzz", tf.float32), Invalid, "Could not parse"),
        (lambda: io.decode_json_example("{}"), Invalid, "Error while parsing JSON"),
        (lambda: io.serialize_many_sparse(tf.sparse.from_dense([1])), Invalid, "should be > 1"),
        (lambda: io.serialize_sparse(tf.sparse.from_dense([1]), tf.int32), ValueError, "tf.string"),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


# ---- images


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png_keeps_each_pixel(channels, dtype):
    image = PIXELS[..., :channels].astype(dtype) * (1 if dtype == "uint8" else 259)
    again = tf.image.decode_png(tf.image.encode_png(image), dtype=dtype)
    np.testing.assert_array_equal(again.numpy(), image)


def test_png_of_other_programs_with_each_filter():
    from lamina.ops.image.png import _unfilter

    above = np.uint8([0, 0, 10, 20, 30, 40])
    row = np.uint8([1, 2, 3, 4])
    for kind, expected in [
        (0, [1, 2, 3, 4]), (1, [1, 2, 4, 6]), (2, [11, 22, 33, 44]), (3, [6, 12, 21, 30]),
        (4, [11, 22, 33, 44]),
    ]:  # fmt: skip
        out = np.zeros(6, np.uint8)
        _unfilter(kind, row, above, out, 2)
        assert out[2:].tolist() == expected


def test_jpeg_is_near():
    data = tf.io.encode_jpeg(SMOOTH)
    found = tf.io.decode_jpeg(data)
    assert found.shape == (16, 16, 3)
    assert np.abs(found.numpy().astype(int) - SMOOTH).mean() < 12
    assert tf.io.decode_jpeg(data, channels=1).shape == (16, 16, 1)
    assert tf.io.decode_jpeg(data, ratio=2).shape == (8, 8, 3)
    assert tf.io.is_jpeg(data).numpy()
    assert tf.io.extract_jpeg_shape(data).numpy().tolist() == [16, 16, 3]
    part = tf.io.decode_and_crop_jpeg(data, [3, 4, 5, 6])
    np.testing.assert_array_equal(part.numpy(), found.numpy()[3:8, 4:10])


def test_decode_image_in_each_dtype():
    data = io.encode_png(np.uint8([[[255, 128, 0]]]))
    assert io.decode_image(data, dtype=tf.float32).numpy().ravel().tolist() == pytest.approx(
        [1, 128 / 255, 0]
    )
    assert io.decode_image(data, dtype=tf.uint16).numpy().ravel().tolist() == [65535, 32896, 0]
    assert io.decode_image(data, channels=1).numpy().ravel().tolist() == [151]


def test_frames_of_a_gif():
    image = pytest.importorskip("PIL.Image")
    import io as files

    out = files.BytesIO()
    frames = [image.new("RGB", (4, 3), c) for c in ("red", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    data = out.getvalue()
    assert io.decode_gif(data).numpy()[:, 0, 0].tolist() == [[255, 0, 0], [0, 0, 255]]
    assert io.decode_image(data).shape == (2, 3, 4, 3)
    assert io.decode_image(data, expand_animations=False).shape == (3, 4, 3)
    with pytest.raises(Invalid, match="Got 2 frames"):
        io.decode_png(data)


def test_jpeg_quality_inside_tf_function():
    @tf.function
    def worse(image):
        return tf.image.adjust_jpeg_quality(image, 20)

    np.testing.assert_array_equal(
        worse(SMOOTH).numpy(), tf.image.adjust_jpeg_quality(SMOOTH, 20).numpy()
    )
    found = tf.image.stateless_random_jpeg_quality(SMOOTH / np.float32(255), 75, 95, (1, 2))
    assert found.dtype == tf.float32


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: io.decode_jpeg(b"junk"), Invalid, "Unknown image file format"),
        (lambda: io.decode_jpeg(io.encode_jpeg(SMOOTH), channels=4), Invalid, "4 channels"),
        (lambda: io.decode_jpeg(b"", channels=5), Invalid, "must be 0, 1, 3 or 4 but got 5"),
        (lambda: io.decode_jpeg([b""]), Invalid, "must be scalar"),
        (lambda: io.decode_jpeg(b"", ratio=3), Invalid, "ratio must be 1, 2, 4, or 8"),
        (lambda: io.decode_bmp(io.encode_png(SMOOTH)), Invalid, "wrong op"),
        (lambda: io.decode_and_crop_jpeg(io.encode_jpeg(SMOOTH), [0, 0, 99, 1]), Invalid, "window"),
        (lambda: io.decode_png(b"", dtype=tf.int32), Invalid, "`dtype` must be one of"),
        (lambda: io.encode_jpeg(SMOOTH[..., 0]), Invalid, "3-dimensional"),
        (lambda: io.encode_jpeg(SMOOTH[..., :2]), Invalid, "must have 1 or 3 channels"),
        (lambda: io.encode_jpeg(SMOOTH, quality=101), Invalid, r"in \[0,100\]"),
        (lambda: io.encode_png(SMOOTH[..., 0].astype("float32")), Invalid, "uint8 or uint16"),
        (lambda: io.encode_png(SMOOTH, compression=10), Invalid, r"in \[-1,9\]"),
        (lambda: io.extract_jpeg_shape(b"junk"), Invalid, "Invalid JPEG data"),
        (lambda: tf.image.adjust_jpeg_quality(SMOOTH, 101), ValueError, r"in \[0, 100\]"),
        (lambda: tf.image.adjust_jpeg_quality(SMOOTH[0], 5), ValueError, "must have shape"),
        (lambda: tf.image.random_jpeg_quality(SMOOTH, 9, 5), ValueError, "must be less than"),
        (lambda: tf.image.random_jpeg_quality(SMOOTH, -9, 5), ValueError, "between 0 and 100"),
    ],
)  # fmt: skip
def test_image_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_without_pillow_the_error_names_the_extra(monkeypatch):
    whole = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("PIL"):
            raise ImportError(name)
        return whole(name, *args, **kwargs)

    data = io.encode_jpeg(SMOOTH).numpy()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install lamina\[images\]"):
        io.decode_jpeg(data)


# ---- sound


def test_wav_comes_back():
    data = tf.audio.encode_wav(np.linspace(-1.2, 1, 20, dtype=np.float32).reshape(10, 2), 8000)
    assert data.numpy()[44:52] == b"\x00\x80\x00\x80\x0b\x84\xdd\x92"
    audio, rate = tf.audio.decode_wav(data)
    assert (int(rate), audio.shape) == (8000, (10, 2))
    assert audio.numpy()[1].tolist() == pytest.approx([-0.9684143, -0.8526306])
    assert tf.audio.decode_wav(data, 1, 15).audio.numpy()[10:].tolist() == [[0.0]] * 5
    assert tf.audio.decode_wav(data, 3, 5)[0].shape == (5, 3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tf.audio.decode_wav(b"junk"), "Expected RIFF but found junk"),
        (lambda: tf.audio.decode_wav(b"RIFF____WAVE"), "the format or the data is missing"),
        (lambda: tf.audio.encode_wav(np.zeros(5, np.float32), 8000), "must be 2-dimensional"),
    ],
)
def test_sound_errors(call, text):
    with pytest.raises(Invalid, match=text):
        call()


def test_jpeg_carries_xmp():
    text = "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    data = tf.io.encode_jpeg(SMOOTH, xmp_metadata=text)
    assert b"\0" + text.encode() in data.numpy()
    assert tf.io.decode_jpeg(data).shape == tf.io.decode_jpeg(tf.io.encode_jpeg(SMOOTH)).shape
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="xmp_metadata must have at most 65504"
    ):
        tf.io.encode_jpeg(SMOOTH, xmp_metadata="x" * 65505)


def test_gfile_reads_and_writes_at_places_of_their_own(tmp_path):
    path = str(tmp_path / "f")
    with pytest.raises(tf.errors.NotFoundError):
        gfile.GFile(path, "r+").read()
    with gfile.GFile(path, "r+") as file:
        file.write("one")
        file.flush()
        assert (file.tell(), file.read(), file.tell()) == (0, "one", 3)
    with gfile.GFile(path, "a+") as file:
        assert file.read(1) == "o"
        file.write("two")
    with gfile.GFile(path, "w+") as file:
        assert file.read() == "onetwo"
    with gfile.GFile(path, "w"):  # nothing is written, nothing is lost
        pass
    with gfile.GFile(path) as file:
        file.seek(-2, 2)
        assert file.read() == "wo"
        with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid whence argument: 7"):
            file.seek(0, 7)
    with gfile.GFile(path, "r+") as file:
        file.write("2")
    assert gfile.GFile(path).read() == "2"
