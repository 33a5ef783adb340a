"""A model as one file: a zip of a manifest, its Ed25519 signature, and the weights whose hashes the manifest names.

Nothing in it is ever unpickled: JSON, ONNX and safetensors are read by parsers that run nothing. What is read is
bounded before it is read, and weights are on the disk before they are believed.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT: Final = "plaqueview-model"
FORMAT_VERSION: Final = 1
SUFFIX: Final = ".pvmodel"

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature"
ONNX: Final = "model.onnx"
SAFETENSORS: Final = "model.safetensors"

LARGEST_MANIFEST_BYTES: Final = 4 * 1024**2
LARGEST_WEIGHTS_BYTES: Final = 2 * 1024**3
CHUNK_BYTES: Final = 1024**2


class SignedFileError(ValueError):
    """The file is no model, not ours, of another version, or was changed; the message says which."""


@dataclass(frozen=True)
class Manifest:
    """What the signature covers. Hashes are SHA-256 in hex; `safetensors_sha256` is empty without those weights."""

    name: str
    version: str
    sha256: str
    safetensors_sha256: str
    preprocessing_version: str
    card: str
    caveat: str
    software: str
    facts: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON

    def as_bytes(self, signer: Ed25519PublicKey) -> bytes:
        """The bytes that are signed."""
        head = {"format": FORMAT, "format_version": FORMAT_VERSION, "signed_by": text_of(signer)}
        return json.dumps({**head, **asdict(self)}, sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> Self:  # Any: JSON
        """Raises: SignedFileError when a field is missing or of another type."""
        texts = {name: read.get(name) for name in cls.__dataclass_fields__ if name != "facts"}
        facts = read.get("facts")
        if not isinstance(facts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise SignedFileError("the manifest lacks a field, or has one of another type")
        return cls(**{name: str(text) for name, text in texts.items()}, facts=facts)


@dataclass(frozen=True)
class Opened:
    """A file that was believed; its weights lie where they were unpacked to."""

    manifest: Manifest
    signed_by: str
    onnx: Path
    safetensors: Path | None


def text_of(key: Ed25519PublicKey) -> str:
    """The key as settings and manifests write it: base64 of its 32 bytes."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def secret_text_of(key: Ed25519PrivateKey) -> str:
    """The secret key as settings write it."""
    return base64.b64encode(key.private_bytes_raw()).decode()


def write(
    target: IO[bytes], manifest: Manifest, *, onnx: Path, safetensors: Path | None, key: Ed25519PrivateKey
) -> None:
    """`target` holds the model, signed. The same model and key give the same bytes."""
    content = manifest.as_bytes(key.public_key())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(MANIFEST), content)
        archive.writestr(_member(SIGNATURE), key.sign(content))
        for name, path in ((ONNX, onnx), (SAFETENSORS, safetensors)):
            if path is not None:
                with path.open("rb") as source, archive.open(_member(name), "w", force_zip64=True) as member:
                    _copy(source, member)


def unpack(source: IO[bytes], folder: Path, *, trusted: Collection[Ed25519PublicKey]) -> Opened:
    """The model, its weights in the folder, when one of the trusted keys has signed exactly this.

    Raises: SignedFileError.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            return _unpack(archive, folder, trusted)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise SignedFileError("this is no model file of PlaqueView") from error


def _unpack(archive: zipfile.ZipFile, folder: Path, trusted: Collection[Ed25519PublicKey]) -> Opened:
    members = {one.filename: one for one in archive.infolist()}
    if len(members) != len(archive.infolist()) or not {MANIFEST, SIGNATURE, ONNX} <= set(members) <= {
        *(MANIFEST, SIGNATURE, ONNX, SAFETENSORS)
    }:
        raise SignedFileError("this is no model file of PlaqueView: it holds other members")
    content = _small(archive, members[MANIFEST])
    read = _believed(content, _small(archive, members[SIGNATURE]), trusted)
    manifest = Manifest.from_json(read)
    onnx = _weights(archive, members[ONNX], folder, manifest.sha256)
    safetensors = None
    if (SAFETENSORS in members) != bool(manifest.safetensors_sha256):
        raise SignedFileError(f"{SAFETENSORS} is missing or was added since the file was signed")
    if SAFETENSORS in members:
        safetensors = _weights(archive, members[SAFETENSORS], folder, manifest.safetensors_sha256)
    return Opened(manifest, str(read["signed_by"]), onnx, safetensors)


def _believed(content: bytes, signature: bytes, trusted: Collection[Ed25519PublicKey]) -> Mapping[str, Any]:
    """The manifest, once a trusted key is seen to have signed it. Any: JSON. Raises: SignedFileError."""
    try:
        read = json.loads(content)
    except ValueError as error:
        raise SignedFileError("the manifest is no JSON") from error
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise SignedFileError("this is no model file of PlaqueView: the manifest says another format")
    if read.get("format_version") != FORMAT_VERSION:
        found = read.get("format_version")
        raise SignedFileError(f"the file has format version {found}, this PlaqueView reads {FORMAT_VERSION}")
    key = {text_of(one): one for one in trusted}.get(str(read.get("signed_by")))
    if key is None:
        raise SignedFileError(f"the file is signed by {read.get('signed_by')}, which is no key that is trusted here")
    try:
        key.verify(signature, content)
    except InvalidSignature as error:
        raise SignedFileError("the manifest was changed since it was signed") from error
    return read


def _small(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as opened:
        content = opened.read(LARGEST_MANIFEST_BYTES + 1)
    if len(content) > LARGEST_MANIFEST_BYTES:
        raise SignedFileError(f"{member.filename} has more than {LARGEST_MANIFEST_BYTES} bytes")
    return content


def _weights(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, sha256: str) -> Path:
    if member.file_size > LARGEST_WEIGHTS_BYTES:
        raise SignedFileError(f"{member.filename} has {member.file_size} bytes, at most {LARGEST_WEIGHTS_BYTES}")
    path = folder / member.filename
    with archive.open(member) as source, path.open("xb") as target:
        found = _copy(source, target)
    if found != sha256:
        raise SignedFileError(f"{member.filename} was changed since the file was signed")
    return path


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    """Returns the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


def _member(name: str) -> zipfile.ZipInfo:
    """With a fixed date, since the file says nothing by when it was written."""
    return zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
