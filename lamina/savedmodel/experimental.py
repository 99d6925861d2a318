"""tf.saved_model.experimental: telling SavedModels apart."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.savedmodel.options import VariablePolicy

__all__ = ["Fingerprint", "VariablePolicy", "read_fingerprint"]


@dataclass(frozen=True)
class Fingerprint:
    """Numbers that differ for different SavedModels.

    Attributes:
        saved_model_checksum: Of the programs and the structure.
        graph_def_program_hash: Of the programs.
        signature_def_hash: Of the structure, in which the signatures stand.
        saved_object_graph_hash: Of the structure.
        checkpoint_hash: Of the variables' index.
        version: The version of these rules.
    """

    saved_model_checksum: int | None = None
    graph_def_program_hash: int | None = None
    signature_def_hash: int | None = None
    saved_object_graph_hash: int | None = None
    checkpoint_hash: int | None = None
    version: int | None = None

    def singleprint(self) -> str:
        """Return the numbers but the checksum as one string."""
        return "/".join(
            str(n)
            for n in (
                self.graph_def_program_hash,
                self.signature_def_hash,
                self.saved_object_graph_hash,
                self.checkpoint_hash,
            )
        )


def read_fingerprint(export_dir: Any) -> Fingerprint:
    """Return the fingerprint of a SavedModel that lamina wrote.

    Args:
        export_dir: Its folder.

    Raises:
        FileNotFoundError: there is none.
    """
    folder = Path(os.fspath(export_dir))
    structure = (folder / "lamina_model.json").read_bytes()
    programs = b"".join(p.read_bytes() for p in sorted((folder / "programs").glob("*.bin")))
    index = (folder / "variables" / "variables.index").read_bytes()
    return Fingerprint(
        _hash(structure + programs),
        _hash(programs),
        _hash(structure),
        _hash(structure),
        _hash(index),
        3,
    )


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "little")
