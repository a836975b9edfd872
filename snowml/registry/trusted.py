"""Pipelines as bytes and back, without pickle: skops' format, audited whole before it is constructed."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256 as digest_of
from typing import Any, Final, Self

import skops.io
from pydantic import ValidationError
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from snowml.errors import DataError
from snowml.records import Signature
from snowml.registry.allowed import ALLOWED, PARTIAL_KEYWORDS, PROTOCOLS
from snowml.registry.bounds import check_bounds

MAGIC: Final = b"snowml artifact 1\n"
_LENGTH: Final = struct.Struct(">I")
_TRUSTED: Final = sorted(frozenset[str]().union(*ALLOWED.values()))

# All that a damaged file may raise, in the zip, in the JSON, and in what is built from them.
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    # Too deep; or a flag in the zip says that it is encrypted, or of a later version.
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A pipeline and what it takes and answers, which is all that serving needs.

    As bytes: a line that names the format, the length of the signature, the signature as JSON, the pipeline.
    """

    signature: Signature
    pipeline: Pipeline

    def dumps(self) -> bytes:
        """Its bytes; two dumps of one pipeline differ, so hash what is stored."""
        header = self.signature.model_dump_json().encode()
        return MAGIC + _LENGTH.pack(len(header)) + header + dumps(self.pipeline)

    @classmethod
    def loads(cls, data: bytes, sha256: str | None = None) -> Self:
        """Read it back; the audit always runs, and the digest is checked first where it is given.

        Raises:
            DataError: The bytes are not those of the digest, not an artifact, or hold what is not allowed.
        """
        if sha256 is not None:
            check_digest(data, sha256)
        start = len(MAGIC) + _LENGTH.size
        if not data.startswith(MAGIC) or len(data) < start:
            raise DataError("These bytes are not a snowml artifact: train the version again.")
        (length,) = _LENGTH.unpack_from(data, len(MAGIC))
        try:
            signature = Signature.model_validate_json(data[start : start + length])
        except ValidationError as wrong:
            raise DataError("The artifact's signature cannot be read: train the version again.") from wrong
        return cls(signature, _parse(data[start + length :]))


def dumps(pipeline: Pipeline) -> bytes:
    """The pipeline in skops' format, compressed."""
    data: bytes = skops.io.dumps(pipeline, compression=zipfile.ZIP_DEFLATED)
    return data


def loads(data: bytes, sha256: str) -> Pipeline:
    """The pipeline of `dumps`, if the bytes are those of the digest and hold nothing but what is allowed.

    Raises:
        DataError: In every other case, before anything is constructed; for tree indices, before it is run.
    """
    check_digest(data, sha256)
    return _parse(data)


def check_digest(data: bytes, sha256: str) -> None:
    """Refuse bytes that are not those of the digest."""
    found = digest_of(data).hexdigest()
    if found != sha256:
        raise DataError(
            f"The artifact is not the one that was registered: its sha256 is {found}, expected {sha256}."
            " It was changed or damaged."
        )


def _parse(data: bytes) -> Pipeline:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            _audit(json.loads(file.read("schema.json")))
        pipeline: Pipeline = skops.io.loads(data, trusted=_TRUSTED)
        check_bounds(pipeline)
    except DataError:
        raise
    except UntrustedTypesFoundException as wrong:
        raise DataError(f"The artifact is refused: {wrong}") from wrong
    except _UNREADABLE as wrong:
        raise DataError(f"The artifact cannot be read ({wrong}): train the version again.") from wrong
    return pipeline


def _audit(schema: Any) -> None:
    if not isinstance(schema, dict) or schema.get("protocol") not in PROTOCOLS:
        raise DataError("The artifact is in a version of skops' format that snowml does not know.")
    for node in _nodes(schema):
        loader, name = node["__loader__"], f"{node.get('__module__')}.{node.get('__class__')}"
        if name not in ALLOWED.get(loader, ()):
            raise DataError(f"The artifact is refused: it holds '{name}' ({loader}), which is not allowed.")
        if loader == "PartialNode":
            _audit_partial(node["content"])


def _audit_partial(content: Mapping[str, Any]) -> None:
    # The function itself is on the list of functions; what it is given is checked here.
    given = set(content["kwds"]["content"])
    if content["func"]["__loader__"] != "FunctionNode" or content["args"]["content"]:
        raise DataError("The artifact is refused: it holds a functools.partial of something not allowed.")
    if not given <= PARTIAL_KEYWORDS:
        raise DataError(f"The artifact is refused: it holds a functools.partial with {sorted(given)}.")


def _nodes(schema: object) -> Iterator[dict[str, Any]]:
    stack = [schema]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if "__loader__" in item:
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
