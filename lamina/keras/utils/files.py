"""get_file: a file from the local cache, or from the network into it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.keras import console
from lamina.keras.utils.progbar import Progbar
from lamina.late import late_module

if TYPE_CHECKING:
    import tarfile
else:
    tarfile = late_module("tarfile")

__all__ = ["DownloadError", "cache_folder", "get_file"]

_parse, _request = late_module("urllib.parse"), late_module("urllib.request")

_CHUNK = 1 << 16  # bytes read at once
_PATIENCE = 60.0  # seconds without a byte from the network


class DownloadError(OSError):
    """A file is not in the cache, and could not be fetched."""


def cache_folder(cache_dir: Any = None) -> Path:
    """Return the folder that files are kept in: `$KERAS_HOME`, or `~/.keras`.

    Args:
        cache_dir: Another folder, or None.
    """
    given = cache_dir or os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(os.fspath(given)).expanduser()


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Return the path of a file in the cache; fetch it first if it is not there.

    Args:
        fname: The file's name in the cache; None takes that of `origin`.
        origin: Where it comes from: an http, https, ftp or file URL.
        untar: The older name of `extract`, for tar archives.
        md5_hash: The older name of `file_hash`, for MD5.
        file_hash: What the file's SHA-256, or MD5, must be; None accepts any.
        cache_subdir: The folder below `cache_dir`, or an absolute path.
        hash_algorithm: "sha256", "md5", or "auto", which goes by the length of the hash.
        extract: Whether it is an archive to be unpacked beside; its folder is returned.
        archive_format: "tar", "zip", a list of them, "auto" for both, or None.
        cache_dir: The cache; None is `$KERAS_HOME`, or `~/.keras`.
        force_download: Whether to fetch it again.

    Raises:
        ValueError: `origin` is missing, `fname` holds folders, or the file has another hash.
        DownloadError: it cannot be fetched; the message says where to put it by hand.

    Example:
        >>> import os
        >>> folder = getfixture("tmp_path")
        >>> _ = (folder / "words.txt").write_text("one two")
        >>> path = tf.keras.utils.get_file(
        ...     origin=(folder / "words.txt").as_uri(), cache_dir=folder / "cache"
        ... )  # doctest: +ELLIPSIS
        Downloading data from file:...
        >>> os.path.basename(path)
        'words.txt'
    """
    if origin is None:
        raise ValueError(
            "get_file: `origin` must be the URL of the file; got None.\n"
            "  Fix: pass origin='https://…' (file:///… works too)."
        )
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = _writable(cache_folder(cache_dir)) / cache_subdir
    folder.mkdir(parents=True, exist_ok=True)
    name = _file_name(fname, origin)
    target, unpacked = _places(folder, name, bool(fname), extract or untar)
    if unpacked is not None and unpacked.is_dir() and not target.exists() and not force_download:
        return str(unpacked)  # put there by hand
    fetch = force_download or not _is_good(target, file_hash, hash_algorithm)
    if fetch:
        _fetch(origin, target, file_hash, hash_algorithm)
    if unpacked is None:
        return str(target)
    if unpacked.is_dir() and not fetch:
        return str(unpacked)
    if not _unpack(target, unpacked, "tar" if untar else archive_format):
        warnings.warn(f"get_file: {target} is no archive of a known format.", stacklevel=2)
    return str(unpacked)


def _writable(folder: Path) -> Path:
    """Return the cache, or one among the temporary files where it cannot be written."""
    place = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    return folder if os.access(place, os.W_OK) else Path(tempfile.gettempdir()) / ".keras"


def _file_name(fname: Any, origin: str) -> str:
    name = os.fspath(fname) if fname else os.path.basename(_parse.urlsplit(origin).path)
    if not name:
        raise ValueError(f"get_file: {origin!r} does not end in a file name.\n  Fix: pass `fname`.")
    if os.sep in name or "/" in name:
        raise ValueError(
            f"get_file: `fname` must be a name without folders; got {name!r}.\n"
            f"  Fix: pass the folder as `cache_dir` or `cache_subdir`."
        )
    return name


def _places(folder: Path, name: str, is_named: bool, extract: bool) -> tuple[Path, Path | None]:
    """Return where the file goes, and what it is unpacked into; the names are Keras'."""
    if not extract:
        return folder / name, None
    if is_named and "." in name:
        return folder / name, folder / f"{name[: name.find('.')]}_extracted"
    return folder / f"{name}_archive", folder / name


def _is_good(target: Path, file_hash: str | None, algorithm: str) -> bool:
    if not target.exists():
        return False
    if file_hash is None or _has_hash(target, file_hash, algorithm):
        return True
    console.show(
        f"The file {target} has another {algorithm} hash than {file_hash}: it is incomplete or "
        f"another version, and is fetched again."
    )
    return False


def _has_hash(path: Path, file_hash: str, algorithm: str) -> bool:
    is_long = algorithm == "auto" and len(file_hash) == 64
    found = hashlib.sha256() if algorithm == "sha256" or is_long else hashlib.md5()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            found.update(chunk)
    return found.hexdigest() == file_hash.lower()


def _fetch(origin: str, target: Path, file_hash: str | None, algorithm: str) -> None:
    """Download a file beside its place, check it, and move it there."""
    console.show(f"Downloading data from {origin}")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            _download(origin, part)
        except (OSError, ValueError) as error:
            raise DownloadError(
                f"get_file: {origin} could not be fetched.\n  Reason: {error}\n"
                f"  Fix: without a network, put the file at {target} yourself."
            ) from error
        if file_hash is not None and not _has_hash(part, file_hash, algorithm):
            raise ValueError(
                f"get_file: the file from {origin} must have the {algorithm} hash {file_hash}; it "
                f"has another one.\n  Fix: fetch it again, or check the hash."
            )
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _download(origin: str, part: Path) -> None:
    with _request.urlopen(origin, timeout=_PATIENCE) as source, part.open("wb") as file:
        total = source.headers.get("Content-Length")
        bar = Progbar(int(total) if total else None, unit_name="B")
        done = 0
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if total is None or done < int(total):
                bar.update(done)
        bar.update(done, finalize=True)


def _unpack(archive: Path, folder: Path, formats: Any) -> bool:
    """Unpack an archive into a folder; returns whether it is one."""
    if formats is None:
        return False
    if isinstance(formats, str):
        formats = ("tar", "zip") if formats == "auto" else (formats,)
    for kind in formats:
        if kind not in ("tar", "zip"):
            raise ValueError(f'get_file: `archive_format` must be "tar" or "zip"; got {kind!r}.')
        if kind == "tar" and tarfile.is_tarfile(archive):
            with _unpacking(folder) as place, tarfile.open(archive) as tar:
                tar.extractall(place, filter="data")
            return True
        if kind == "zip" and zipfile.is_zipfile(archive):
            with _unpacking(folder) as place, zipfile.ZipFile(archive) as zipped:
                zipped.extractall(place)  # it drops ".." and leading "/" of names itself
            return True
    return False


@contextmanager
def _unpacking(folder: Path) -> Iterator[Path]:
    """Give a new folder, which takes the place of `folder` when all is unpacked."""
    place = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    place.mkdir(parents=True, exist_ok=True)
    try:
        yield place
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(place, folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)
