"""Models that leave and come as signed files (docs/decisions/0022-model-files.md)."""

import base64
from pathlib import Path
from typing import IO
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import transaction

from plaqueview import __version__
from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.core.storage import incoming_folder, store_file, stored_path
from plaqueview.registry.models import ModelVersion, Origin
from plaqueview.registry.services import NewModel, register_new
from plaqueview.registry.signed_file import Manifest, Opened, SignedFileError, text_of, unpack, write

KIND = "models"


def export_model(*, model_id: UUID, target: IO[bytes], actor: User | None) -> ModelVersion:
    """`target` holds the model, signed by this installation; `actor` None is who sits at the server.

    Raises: DeniedError; NotFoundError; ConflictError when the model came with the software, or there is no key to sign
    with.
    """
    if actor is not None:
        require(actor, Action.MODEL_MANAGE)
    model = ModelVersion.objects.filter(pk=model_id).first()
    if model is None:
        raise NotFoundError("no such model")
    if not model.onnx_key:
        raise ConflictError("the files of this model come with the software; install that instead")
    safetensors = stored_path(model.safetensors_key) if model.safetensors_key else None
    write(target, _manifest_of(model), onnx=stored_path(model.onnx_key), safetensors=safetensors, key=signing_key())
    _record(EventKind.MODEL_EXPORTED, model, actor, signed_by=text_of(signing_key().public_key()))
    return model


def import_model(*, source: IO[bytes], actor: User | None) -> ModelVersion:
    """The model of the file is a candidate, which reads nothing; `actor` None is who sits at the server.

    Raises: DeniedError; InvalidError when the file is not to be believed or not for this software; ConflictError when
    the model is known.
    """
    if actor is not None:
        require(actor, Action.MODEL_MANAGE)
    with incoming_folder() as folder:
        try:
            opened = unpack(source, folder, trusted=trusted_keys())
        except SignedFileError as error:
            raise InvalidError(str(error)) from error
        _require_preprocessing(opened.manifest)
        return _registered(opened, actor)


def signing_key() -> Ed25519PrivateKey:
    """Raises: ConflictError when the department has set none."""
    if not settings.MODEL_SIGNING_KEY:
        raise ConflictError("there is no key to sign with; `plaqueview manage model_keys` makes one for the settings")
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.MODEL_SIGNING_KEY))


def trusted_keys() -> tuple[Ed25519PublicKey, ...]:
    """The department's own, and those that it has named."""
    named = (Ed25519PublicKey.from_public_bytes(base64.b64decode(key)) for key in settings.MODEL_TRUSTED_KEYS)
    own = (signing_key().public_key(),) if settings.MODEL_SIGNING_KEY else ()
    return (*own, *named)


def _manifest_of(model: ModelVersion) -> Manifest:
    return Manifest(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        safetensors_sha256=Path(model.safetensors_key).name,
        preprocessing_version=model.preprocessing_version,
        card=model.card,
        caveat=model.caveat,
        software=__version__,
        facts=model.facts,
    )


def _require_preprocessing(manifest: Manifest) -> None:
    """A network that was trained on other steps than this software's would read other images than it has learned."""
    shipped = ModelVersion.objects.filter(origin=Origin.SHIPPED)
    known = sorted(set(shipped.values_list("preprocessing_version", flat=True)))
    if manifest.preprocessing_version not in known:
        here = ", ".join(known) or "none, until a worker has registered the model that it ships"
        raise InvalidError(f"the model needs preprocessing {manifest.preprocessing_version}; here is {here}")


@transaction.atomic
def _registered(opened: Opened, actor: User | None) -> ModelVersion:
    manifest = opened.manifest
    new = NewModel(
        name=manifest.name,
        version=manifest.version,
        sha256=manifest.sha256,
        preprocessing_version=manifest.preprocessing_version,
        card=manifest.card,
        facts={**manifest.facts, "imported": {"signed_by": opened.signed_by, "software": manifest.software}},
        caveat=manifest.caveat,
        onnx_key=store_file(opened.onnx, kind=KIND).key,
        safetensors_key=store_file(opened.safetensors, kind=KIND).key if opened.safetensors else "",
    )
    model = register_new(new, origin=Origin.IMPORTED)
    _record(EventKind.MODEL_IMPORTED, model, actor, signed_by=opened.signed_by)
    return model


def _record(kind: EventKind, model: ModelVersion, actor: User | None, *, signed_by: str) -> None:
    details = {"version": model.version, "sha256": model.sha256, "signed_by": signed_by}
    audit.record(kind, actor=actor, object_type="model", object_id=model.pk, details=details)
