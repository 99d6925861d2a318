"""get_file: the cache, hashes, archives, and what is said without a network."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

import lamina as tf

get_file = tf.keras.utils.get_file


@pytest.fixture
def origin(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("one two")
    return file


def test_a_file_is_fetched_once(origin, tmp_path, capsys):
    cache = tmp_path / "cache"
    path = get_file(origin=origin.as_uri(), cache_dir=cache)
    assert path == str(cache / "datasets" / "words.txt")
    assert Path(path).read_text() == "one two"
    origin.write_text("three")
    assert Path(get_file(origin=origin.as_uri(), cache_dir=cache)).read_text() == "one two"
    again = get_file(origin=origin.as_uri(), cache_dir=cache, force_download=True)
    assert Path(again).read_text() == "three"
    assert capsys.readouterr().out.count("Downloading data from file:") == 2


def test_the_cache_is_that_of_keras(origin, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    path = get_file("mine.txt", origin.as_uri(), cache_subdir="sub")
    assert path == str(tmp_path / "home" / "sub" / "mine.txt")


def test_hashes_are_checked(origin, tmp_path, capsys):
    sha = hashlib.sha256(b"one two").hexdigest()
    md5 = hashlib.md5(b"one two").hexdigest()
    for given in ({"file_hash": sha}, {"md5_hash": md5}, {"file_hash": md5}):
        get_file(origin=origin.as_uri(), cache_dir=tmp_path / "c", **given)
    with pytest.raises(ValueError, match="must have the auto hash 0000; it has another one"):
        get_file("b.txt", origin.as_uri(), cache_dir=tmp_path / "c", file_hash="0000")
    assert not (tmp_path / "c" / "datasets" / "b.txt").exists()


def test_a_damaged_file_is_fetched_again(origin, tmp_path, capsys):
    sha = hashlib.sha256(b"one two").hexdigest()
    path = Path(get_file(origin=origin.as_uri(), cache_dir=tmp_path / "c", file_hash=sha))
    path.write_text("one")
    get_file(origin=origin.as_uri(), cache_dir=tmp_path / "c", file_hash=sha)
    assert path.read_text() == "one two"


def test_without_a_network_the_place_is_named(tmp_path, capsys):
    missing = (tmp_path / "none.txt").as_uri()
    with pytest.raises(OSError, match="could not be fetched") as error:
        get_file(origin=missing, cache_dir=tmp_path)
    assert f"put the file at {tmp_path / 'datasets' / 'none.txt'} yourself" in str(error.value)
    assert not list((tmp_path / "datasets").iterdir())


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_archives_are_unpacked(tmp_path, kind, capsys):
    packed = tmp_path / f"things.{'tar.gz' if kind == 'tar' else 'zip'}"
    if kind == "tar":
        with tarfile.open(packed, "w:gz") as tar:
            info = tarfile.TarInfo("inner/a.txt")
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    else:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("inner/a.txt", "x")
            archive.writestr("../out.txt", "x")
    cache = tmp_path / "cache"
    folder = get_file("things", packed.as_uri(), cache_dir=cache, extract=True)
    assert folder == str(cache / "datasets" / "things")
    assert Path(folder, "inner", "a.txt").read_text() == "x"
    assert (cache / "datasets" / "things_archive").exists()
    assert not (cache / "out.txt").exists()
    named = get_file("b.tar.gz", packed.as_uri(), cache_dir=cache, extract=True)
    assert named == str(cache / "datasets" / "b_extracted")
    (cache / "datasets" / "things_archive").unlink()
    assert get_file("things", "http://unused/x", cache_dir=cache, extract=True) == folder


def test_what_is_no_archive_gives_a_warning(origin, tmp_path, capsys):
    with pytest.warns(UserWarning, match="is no archive of a known format"):
        get_file(origin=origin.as_uri(), cache_dir=tmp_path / "c", extract=True)


def test_a_tar_cannot_write_outside(tmp_path, capsys):
    packed = tmp_path / "bad.tar"
    with tarfile.open(packed, "w") as tar:
        info = tarfile.TarInfo("../../out.txt")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(tarfile.OutsideDestinationError):
        get_file(origin=packed.as_uri(), cache_dir=tmp_path / "c", extract=True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "`origin` must be the URL of the file; got None"),
        ({"origin": "http://host"}, "does not end in a file name"),
        ({"origin": "http://host/a", "fname": "b/c"}, "`fname` must be a name without folders"),
    ],
)
def test_bad_arguments(arguments, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        get_file(**arguments, cache_dir=tmp_path)
