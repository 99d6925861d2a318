"""tf.keras.datasets: small files of the published formats, in a cache of their own."""

import gzip
import io
import json
import pickle
import struct
import tarfile

import numpy as np
import pytest

import lamina as tf
from lamina.keras.datasets import sources

datasets = tf.keras.datasets


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder; the hashes of the published files are not asked for."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(sources, "HASHES", {name: None for name in sources.HASHES})
    monkeypatch.setattr("lamina.keras.datasets.cifar.HASHES", sources.HASHES)
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def ragged(lists):
    found = np.empty(len(lists), object)
    found[:] = lists
    return found


def test_mnist(cache, tmp_path):
    arrays = {
        "x_train": np.arange(2 * 784, dtype="uint8").reshape(2, 28, 28),
        "y_train": np.array([3, 1], "uint8"),
        "x_test": np.zeros((1, 28, 28), "uint8"),
        "y_test": np.array([7], "uint8"),
    }
    np.savez(cache / "mnist.npz", **arrays)
    (x, y), (_, y_test) = datasets.mnist.load_data()
    np.testing.assert_array_equal(x, arrays["x_train"])
    assert (y.tolist(), y_test.tolist()) == ([3, 1], [7])
    np.savez(tmp_path / "mine.npz", **arrays)
    assert len(datasets.mnist.load_data(tmp_path / "mine.npz")[0][0]) == 2


def test_a_file_with_another_hash_is_not_read(tmp_path, monkeypatch, offline, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").write_bytes(b"something else")
    with pytest.raises(OSError, match=r"put the file at .*mnist.npz yourself"):
        datasets.mnist.load_data()
    assert "has another auto hash" in capsys.readouterr().out


def test_without_a_network_the_place_is_named(cache, offline, tmp_path, capsys):
    calls = {
        "mnist.npz": datasets.mnist.load_data,
        "fashion-mnist/train-images-idx3-ubyte.gz": datasets.fashion_mnist.load_data,
        "cifar-10-batches-py-target_archive": datasets.cifar10.load_data,
        "cifar-100-python-target_archive": datasets.cifar100.load_data,
        "imdb.npz": datasets.imdb.load_data,
        "imdb_word_index.json": datasets.imdb.get_word_index,
        "reuters.npz": datasets.reuters.load_data,
        "reuters_word_index.json": datasets.reuters.get_word_index,
        "boston_housing.npz": datasets.boston_housing.load_data,
        "california_housing.npz": datasets.california_housing.load_data,
    }
    for name, load in calls.items():
        with pytest.raises(OSError, match="could not be fetched") as error:
            load()
        assert f"put the file at {cache / name} yourself" in str(error.value)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        datasets.mnist.load_data(tmp_path / "none" / "mnist.npz")


def test_fashion_mnist(cache):
    place = cache / "fashion-mnist"
    place.mkdir()
    for side, count in (("train", 3), ("t10k", 2)):
        pixels = np.arange(count * 784, dtype="int64").astype("uint8")
        labels = np.arange(count, dtype="uint8")
        with gzip.open(place / f"{side}-images-idx3-ubyte.gz", "wb") as file:
            file.write(struct.pack(">IIII", 2051, count, 28, 28) + pixels.tobytes())
        with gzip.open(place / f"{side}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">II", 2049, count) + labels.tobytes())
    (x, y), (x_test, y_test) = datasets.fashion_mnist.load_data()
    assert (x.shape, x_test.shape, y.tolist(), y_test.tolist()) == (
        (3, 28, 28),
        (2, 28, 28),
        [0, 1, 2],
        [0, 1],
    )
    assert x[0, 0, 5] == 5


def archive(path, folder, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            raw = pickle.dumps(content, protocol=2)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))


def batch(count, **labels):
    data = np.arange(count * 3072).astype("uint8").reshape(count, 3072)
    return {b"data": data} | {k.encode(): v for k, v in labels.items()}


def test_cifar10(cache):
    files = {f"data_batch_{i}": batch(2, labels=[i, 0]) for i in range(1, 6)}
    archive(
        cache / "cifar-10-batches-py-target_archive",
        "cifar-10-batches-py",
        files | {"test_batch": batch(1, labels=[9])},
    )
    (x, y), (x_test, y_test) = datasets.cifar10.load_data()
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((10, 32, 32, 3), "uint8", (10, 1), "uint8")
    assert (y[:, 0].tolist()[::2], y_test.tolist(), x_test.shape) == (
        [1, 2, 3, 4, 5],
        [[9]],
        (1, 32, 32, 3),
    )
    assert x[0, 0, 3].tolist() == [3, (1024 + 3) % 256, (2048 + 3) % 256]
    tf.keras.backend.set_image_data_format("channels_first")
    assert datasets.cifar10.load_data()[0][0].shape == (10, 3, 32, 32)


def test_cifar100(cache):
    files = {
        "train": batch(2, fine_labels=[70, 3], coarse_labels=[1, 2]),
        "test": batch(1, fine_labels=[5], coarse_labels=[6]),
    }
    archive(cache / "cifar-100-python-target_archive", "cifar-100-python", files)
    assert datasets.cifar100.load_data()[0][1].tolist() == [[70], [3]]
    assert datasets.cifar100.load_data("coarse")[1][1].tolist() == [[6]]
    with pytest.raises(ValueError, match='`label_mode` must be "fine" or "coarse"'):
        datasets.cifar100.load_data("other")


class Harm:
    def __reduce__(self):
        return print, ("code of the file ran",)


def test_files_cannot_run_code(cache, capsys):
    archive(
        cache / "cifar-100-python-target_archive",
        "cifar-100-python",
        {"train": {b"data": Harm(), b"fine_labels": []}, "test": {}},
    )
    with pytest.raises(pickle.UnpicklingError, match=r"wants to call .*print, which is"):
        datasets.cifar100.load_data()
    np.savez(cache / "reuters.npz", x=np.array([Harm()], object), y=np.array([1]))
    with pytest.raises(pickle.UnpicklingError, match="is refused"):
        datasets.reuters.load_data()
    assert "code of the file ran" not in capsys.readouterr().out


def test_imdb(cache):
    train, test = [[1, 2, 9], [3, 4], [5]], [[6, 7, 8, 9], [1]]
    np.savez(
        cache / "imdb.npz",
        x_train=ragged(train),
        y_train=np.array([0, 1, 1]),
        x_test=ragged(test),
        y_test=np.array([1, 0]),
    )
    (x, y), (x_test, _) = datasets.imdb.load_data()
    random = np.random.RandomState(113)
    order = np.arange(3)
    random.shuffle(order)
    expected = [[1] + [w + 3 if w + 3 < 12 else 2 for w in train[i]] for i in order]
    assert x.tolist() == expected
    assert y.tolist() == [[0, 1, 1][i] for i in order]
    assert x_test.dtype == object
    (x, _), _ = datasets.imdb.load_data(num_words=7, skip_top=5, start_char=None, oov_char=None)
    assert sorted(map(tuple, x)) == [(), (5,), (6,)]
    (x, _), _ = datasets.imdb.load_data(maxlen=4)
    assert sorted(map(len, x)) == [2, 3]
    with pytest.raises(ValueError, match="no review is shorter than `maxlen`, 1"):
        datasets.imdb.load_data(maxlen=1)
    with pytest.raises(TypeError, match=r"does not take \['words'\]"):
        datasets.imdb.load_data(words=3)


def test_reuters(cache):
    np.savez(cache / "reuters.npz", x=ragged([[i, i + 1] for i in range(10)]), y=np.arange(10))
    (x, y), (x_test, y_test) = datasets.reuters.load_data(test_split=0.3, index_from=0)
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    assert [*y, *y_test] == order.tolist()
    assert (len(x), len(x_test), x[0][0]) == (7, 3, 1)
    names = datasets.reuters.get_label_names()
    assert (len(names), names[45]) == (46, "lead")
    with pytest.raises(ValueError, match=r"`test_split` must lie in \[0, 1\); got 2"):
        datasets.reuters.load_data(test_split=2)


def test_word_indices(cache):
    for name, module in (("imdb", datasets.imdb), ("reuters", datasets.reuters)):
        (cache / f"{name}_word_index.json").write_text(json.dumps({"the": 1}))
        assert module.get_word_index() == {"the": 1}


def test_houses(cache):
    x, y = np.arange(1000.0)[:, None] * np.ones(3), np.arange(1000.0)
    for name in ("boston_housing", "california_housing"):
        np.savez(cache / f"{name}.npz", x=x, y=y)
    order = np.arange(1000)
    np.random.RandomState(113).shuffle(order)
    (x_train, y_train), (_, y_test) = datasets.boston_housing.load_data()
    assert [*y_train, *y_test] == order.tolist()
    assert (x_train.shape, len(y_test)) == ((800, 3), 200)
    (_, small), _ = datasets.california_housing.load_data("small", test_split=0.5)
    assert len(small) == 300
    with pytest.raises(ValueError, match='`version` must be "small" or "large"'):
        datasets.california_housing.load_data("huge")
