"""Who may do what: one table, roles by actions."""

from typing import Protocol

from django.db import models

from plaqueview.core.errors import DeniedError


class Role(models.TextChoices):
    ADMIN = "admin"
    NEUROLOGIST = "neurologist"
    INTEGRATOR = "integrator"


class Action(models.TextChoices):
    PATIENT_READ = "patient.read"
    PATIENT_ERASE = "patient.erase"
    STUDY_READ = "study.read"
    STUDY_UPLOAD = "study.upload"
    STUDY_OVERRIDE = "study.override"
    STUDY_DEIDENTIFY = "study.deidentify"
    STUDY_DELETE = "study.delete"
    INFERENCE_REQUEST = "inference.request"
    JOB_READ = "job.read"
    JOB_CANCEL = "job.cancel"
    ANNOTATION_READ = "annotation.read"
    ANNOTATION_EDIT = "annotation.edit"
    ANNOTATION_REVIEW = "annotation.review"
    READING_MANAGE = "reading.manage"
    DICOMWEB_READ = "dicomweb.read"
    DICOMWEB_STORE = "dicomweb.store"
    NODE_READ = "node.read"
    NODE_MANAGE = "node.manage"
    NODE_SEARCH = "node.search"
    TRANSFER_READ = "transfer.read"
    TRANSFER_SEND = "transfer.send"
    FETCH_READ = "fetch.read"
    FETCH_REQUEST = "fetch.request"
    WEBHOOK_MANAGE = "webhook.manage"
    MODEL_READ = "model.read"
    MODEL_MANAGE = "model.manage"
    TRAINING_READ = "training.read"
    TRAINING_MANAGE = "training.manage"
    WORKER_READ = "worker.read"
    AUDIT_READ = "audit.read"
    USER_MANAGE = "user.manage"
    TOKEN_MANAGE = "token.manage"


_EVERYONE = {
    Action.PATIENT_READ,
    Action.STUDY_READ,
    Action.STUDY_UPLOAD,
    Action.INFERENCE_REQUEST,
    Action.JOB_READ,
    Action.JOB_CANCEL,
    Action.ANNOTATION_READ,
    Action.DICOMWEB_READ,
    Action.DICOMWEB_STORE,
    Action.NODE_READ,
    Action.NODE_SEARCH,
    Action.TRANSFER_READ,
    Action.TRANSFER_SEND,
    Action.FETCH_READ,
    Action.FETCH_REQUEST,
    Action.MODEL_READ,
}

ACTIONS_OF_ROLE: dict[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.NEUROLOGIST: frozenset(
        _EVERYONE | {Action.STUDY_OVERRIDE, Action.ANNOTATION_EDIT, Action.ANNOTATION_REVIEW, Action.TOKEN_MANAGE}
    ),
    Role.INTEGRATOR: frozenset(_EVERYONE),
}


class Actor(Protocol):
    """Who asks: a user, narrowed by the scopes of the token that speaks for them."""

    @property
    def actions(self) -> frozenset[Action]: ...


def require(actor: Actor, action: Action) -> None:
    """Raises: DeniedError when neither role nor token includes the action."""
    if action not in actor.actions:
        raise DeniedError(f"this needs the action {action.value}, which your role or token does not include")
