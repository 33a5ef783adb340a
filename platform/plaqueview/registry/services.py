"""Every write of the registry, and which version reads new studies."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.errors import ConflictError
from plaqueview.registry.models import ModelVersion, Origin, Stage


@dataclass(frozen=True)
class ShippedModel:
    """What the worker says of the weights that came with the software. `facts` is JSON."""

    name: str
    version: str
    sha256: str
    preprocessing_version: str
    card: str
    facts: Mapping[str, object]
    caveat: str


@dataclass(frozen=True)
class NewModel:
    """What a run has made, or a file has brought. `sha256` is of the file under `onnx_key`; `facts` is JSON."""

    name: str
    version: str
    sha256: str
    preprocessing_version: str
    card: str
    facts: Mapping[str, object]
    caveat: str
    onnx_key: str
    safetensors_key: str


def champion() -> ModelVersion | None:
    """The version that reads new studies; None until a worker has registered the one that it ships."""
    return ModelVersion.objects.filter(stage=Stage.CHAMPION).first()


@transaction.atomic
def register_new(new: NewModel, *, origin: Origin) -> ModelVersion:
    """The registry knows the weights as a candidate, which reads nothing.

    Raises: ConflictError when the name and version, or the weights, are known.
    """
    same_name = Q(name=new.name, version=new.version)
    if ModelVersion.objects.filter(same_name | Q(sha256=new.sha256)).exists():
        raise ConflictError(f"model {new.name} {new.version}, or its weights, are registered already")
    fields = {**vars(new), "facts": dict(new.facts)}
    model = ModelVersion.objects.create(stage=Stage.CANDIDATE, origin=origin, **fields)
    _record_registered(model)
    return model


@transaction.atomic
def make_champion(model: ModelVersion) -> ModelVersion | None:
    """The version reads new studies from now on; returns the one that did until now, which is retired.

    Called by who has checked that it may.
    """
    before = ModelVersion.objects.select_for_update().filter(stage=Stage.CHAMPION).exclude(pk=model.pk).first()
    if before is not None:
        before.stage = Stage.RETIRED
        before.save(update_fields=["stage", "modified"])
    model.stage = Stage.CHAMPION
    model.save(update_fields=["stage", "modified"])
    return before


@transaction.atomic
def enter_shadow(model: ModelVersion) -> None:
    """The version reads along, unseen by readers. Called by who has checked that it may, with its row locked.

    Raises: ConflictError when another does: two would slow down every study's turn.
    """
    other = ModelVersion.objects.filter(stage=Stage.SHADOW).first()
    if other is not None:
        raise ConflictError(f"model {other.version} reads along already; end that first")
    model.stage = Stage.SHADOW
    model.save(update_fields=["stage", "modified"])


@transaction.atomic
def leave_shadow(model: ModelVersion) -> None:
    """The version is a candidate again, with its row locked."""
    model.stage = Stage.CANDIDATE
    model.save(update_fields=["stage", "modified"])


@transaction.atomic
def register_shipped(shipped: ShippedModel) -> ModelVersion:
    """The registry knows the weights; called again, nothing changes.

    The first version becomes the champion. A newer shipped version takes the place of a shipped champion, because the
    worker runs the weights that it ships; a champion that was trained here stays until a person replaces it.

    Raises: ConflictError when the name and version are known with other weights.
    """
    known = ModelVersion.objects.select_for_update().filter(name=shipped.name, version=shipped.version).first()
    if known is None:
        return _register(shipped)
    if known.sha256 != shipped.sha256:
        raise ConflictError(
            f"model {shipped.name} {shipped.version} is registered with weights {known.sha256[:12]}, "
            f"the worker ships {shipped.sha256[:12]}; changed weights need a new version"
        )
    return known


def _register(shipped: ShippedModel) -> ModelVersion:
    champion = ModelVersion.objects.select_for_update().filter(stage=Stage.CHAMPION).first()
    becomes_champion = champion is None or champion.origin == Origin.SHIPPED
    if champion is not None and becomes_champion:
        ModelVersion.objects.filter(pk=champion.pk).update(stage=Stage.RETIRED)
    model = ModelVersion.objects.create(
        name=shipped.name,
        version=shipped.version,
        sha256=shipped.sha256,
        preprocessing_version=shipped.preprocessing_version,
        stage=Stage.CHAMPION if becomes_champion else Stage.CANDIDATE,
        origin=Origin.SHIPPED,
        card=shipped.card,
        facts=dict(shipped.facts),
        caveat=shipped.caveat,
    )
    _record_registered(model)
    return model


def _record_registered(model: ModelVersion) -> None:
    audit.record(
        EventKind.MODEL_REGISTERED,
        actor=None,
        object_type="model",
        object_id=model.pk,
        details={"name": model.name, "version": model.version, "sha256": model.sha256, "stage": model.stage},
    )
