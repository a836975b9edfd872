"""Private keys, as a profile gives them, in the form that the connector takes."""

import base64
import binascii
from pathlib import Path

from snowml.engines.snowflake.secrets import Secrets
from snowml.errors import ProjectError


def private_key(text: str | None, file: Path | None, passphrase: str | None, secrets: Secrets) -> bytes:
    """The key in DER, unencrypted: out of a PEM file, or out of a text that is PEM or DER in base64.

    What is read is added to `secrets`.

    Raises:
        ProjectError: There is no such file, or it holds no key that the passphrase opens. The message does
            not hold the key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    data, place = _data(text, file)
    secrets.add(data.decode("latin-1"))
    load = serialization.load_pem_private_key
    if not data.lstrip().startswith(b"-----BEGIN"):
        load = serialization.load_der_private_key
        data = _decoded(data, place)
    try:
        key = load(data, password=passphrase.encode() if passphrase else None)
    # The reasons of the library may quote what it was given, so none of them is passed on.
    except (TypeError, ValueError, UnsupportedAlgorithm):
        remedy = "Is private_key_passphrase right?" if passphrase else "Does it need private_key_passphrase?"
        raise ProjectError(f"{place} cannot be read as a private key. {remedy}") from None
    opened: bytes = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    secrets.add(base64.b64encode(opened).decode())
    return opened


def _data(text: str | None, file: Path | None) -> tuple[bytes, str]:
    if file is None:
        return str(text).encode(), "The profile's private_key"
    try:
        return file.read_bytes(), f"The private key file {file}"
    except OSError as error:
        raise ProjectError(f"The private key file {file} cannot be read: {error.strerror}.") from None


def _decoded(data: bytes, place: str) -> bytes:
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        raise ProjectError(f"{place} is neither PEM nor DER in base64.") from None
