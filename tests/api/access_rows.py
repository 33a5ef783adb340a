"""The table that the access matrix is held to: each route with who may ask, and what they get."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Action, Role
from tests.api.scene import Place, multipart_related, one_file

A = Action
STUDY = "dicom-web/studies/<str:study_uid>"
SERIES = f"{STUDY}/series/<str:series_uid>"
INSTANCE = f"{SERIES}/instances/<str:instance_uid>"
JSON = "application/json"
ANY_REVISION = {"if-match": "*"}
FORM = "multipart/form-data"
STOW = 'multipart/related; type="application/dicom"; boundary=here'

Body = Callable[[Place], dict[str, Any] | bytes]


def nothing(_: Place) -> dict[str, Any]:
    return {}


def reason(_: Place) -> dict[str, Any]:
    return {"reason": "Asked for."}


@dataclass(frozen=True)
class Row:
    """Who may do it, what they get, and what everybody of another site gets.

    `action` None is open to whoever is signed in. `other` 404 is for an address that names a thing of a site; for lists
    and new things it is the same answer, about the caller's own site. `but` names the roles that get something else.
    `is_proven` is for those that a session does only when its user has just given the password again.
    """

    action: Action | None
    status: int = 200
    other: int = 404
    body: Body = nothing
    media_type: str = JSON
    names: dict[str, str] = field(default_factory=dict)
    but: dict[Role, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    repeats_what_it_was_sent: bool = False
    is_proven: bool = False


def of_site(action: Action, status: int = 200, **more: Any) -> Row:
    return Row(action, status, **more)


def of_caller(action: Action | None, status: int = 200, **more: Any) -> Row:
    return Row(action, status, status, **more)


def new_instance(_: Place) -> bytes:
    return multipart_related("here")


def new_instance_of_study(place: Place) -> bytes:
    return multipart_related("here", study_uid=place.parameters["study_uid"], patient_id=f"P-{place.site.name}")


def same_mask(place: Place) -> dict[str, Any]:
    mask = labels_of(Annotation.objects.get(pk=place.parameters["annotation_id"])).content
    return {"base": place.parameters["annotation_id"], "mask": b64encode(mask).decode(), "statements": []}


def on_snapshot(place: Place) -> dict[str, Any]:
    return {"snapshot": place.parameters["snapshot_id"]}


def nightly(_: Place) -> dict[str, Any]:
    return {"name": "Nightly", "cron": "0 2 * * *"}


def remark(_: Place) -> dict[str, Any]:
    return {"text": "Look again.", "comment": "Look again."}


def new_token(_: Place) -> dict[str, Any]:
    return {"name": "mine", "expires_at": "2999-01-01T00:00:00Z"}


def new_user(place: Place) -> dict[str, Any]:
    return {"username": "eva", "role": "neurologist", "sites": [str(place.site.pk)]}


def remote_study(place: Place) -> dict[str, Any]:
    return {"node": place.parameters["node_id"], "study_instance_uid": "1.2.3.4"}


def new_node(_: Place) -> dict[str, Any]:
    return {"name": "New archive", "kind": "dicomweb", "url": "http://127.0.0.1:9/dicom-web"}


def new_webhook(_: Place) -> dict[str, Any]:
    return {"name": "New", "url": "https://example.org/hook", "events": ["study.received"]}


def version_and_node(place: Place) -> dict[str, Any]:
    return {"annotation": place.parameters["annotation_id"], "node": place.parameters["node_id"]}


def panel_of_two(place: Place) -> dict[str, Any]:
    reader = place.users[Role.NEUROLOGIST].username
    return {"study": place.parameters["study_id"], "readers": [reader, reader], "adjudicator": reader}


MATRIX: dict[tuple[str, str], Row] = {
    ("GET", "api/v1/me"): of_caller(None),
    ("GET", "api/v1/me/activity"): of_caller(None),
    ("POST", "api/v1/me/activity"): of_caller(None),
    ("GET", "api/v1/me/preferences"): of_caller(None),
    ("PUT", "api/v1/me/preferences"): of_caller(None, body=lambda _: {"keys": {"approve": ["a"]}}),
    ("GET", "api/v1/readers"): of_caller(A.STUDY_READ),
    ("GET", "api/v1/tokens"): of_caller(A.TOKEN_MANAGE),
    # The life that is asked for is too long: 422 says that the caller may ask.
    ("POST", "api/v1/tokens"): of_caller(A.TOKEN_MANAGE, 422, body=new_token, is_proven=True),
    ("GET", "api/v1/tokens/<uuid:pk>"): of_site(A.TOKEN_MANAGE, names={"pk": "token"}, but={Role.NEUROLOGIST: 404}),
    ("DELETE", "api/v1/tokens/<uuid:pk>"): of_site(
        A.TOKEN_MANAGE, 204, names={"pk": "token"}, but={Role.NEUROLOGIST: 404}
    ),
    ("GET", "api/v1/users"): of_caller(A.USER_MANAGE),
    # The password was not given again: 403 says that the caller may manage accounts once it is.
    ("POST", "api/v1/users"): of_caller(A.USER_MANAGE, 403, body=new_user),
    ("GET", "api/v1/users/<uuid:user_id>"): of_site(A.USER_MANAGE),
    ("PATCH", "api/v1/users/<uuid:user_id>"): of_site(A.USER_MANAGE, 403, body=lambda _: {"role": "admin"}),
    ("PUT", "api/v1/users/<uuid:user_id>/opening"): of_site(A.USER_MANAGE, 403),
    ("DELETE", "api/v1/users/<uuid:user_id>/opening"): of_site(A.USER_MANAGE, 403),
    ("POST", "api/v1/users/<uuid:user_id>/password-link"): of_site(A.USER_MANAGE, 403),
    ("DELETE", "api/v1/users/<uuid:user_id>/sessions"): of_site(A.USER_MANAGE, 403),
    ("GET", "api/v1/audit"): of_caller(A.AUDIT_READ),
    ("GET", "api/v1/patients"): of_caller(A.PATIENT_READ),
    ("GET", "api/v1/patients/<uuid:patient_id>"): of_site(A.PATIENT_READ),
    ("PUT", "api/v1/patients/<uuid:patient_id>/hold"): of_site(A.PATIENT_ERASE, body=reason),
    ("DELETE", "api/v1/patients/<uuid:patient_id>/hold"): of_site(A.PATIENT_ERASE),
    ("GET", "api/v1/patients/<uuid:patient_id>/erasure"): of_site(A.PATIENT_ERASE),
    # The password was not given again: 403 says that the caller may erase once it is.
    ("POST", "api/v1/patients/<uuid:patient_id>/erasure"): of_site(A.PATIENT_ERASE, 403, body=reason),
    ("GET", "api/v1/patients/<uuid:patient_id>/timeline"): of_site(A.ANNOTATION_READ),
    # The mask is not of the grid of the series: 409 says that the caller may ask.
    ("GET", "api/v1/patients/<uuid:patient_id>/timeline/slices"): of_site(A.ANNOTATION_READ, 409),
    ("GET", "api/v1/patients/<uuid:patient_id>/timeline.csv"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/summary"): of_caller(A.STUDY_READ),
    ("GET", "api/v1/studies"): of_caller(A.STUDY_READ),
    ("GET", "api/v1/studies/<uuid:study_id>"): of_site(A.STUDY_READ),
    ("GET", "api/v1/studies/<uuid:study_id>/protocol"): of_site(A.STUDY_READ),
    ("PATCH", "api/v1/studies/<uuid:study_id>"): of_site(
        A.STUDY_OVERRIDE, body=lambda place: {"flair_series": place.parameters["series_id"]}
    ),
    ("PUT", "api/v1/studies/<uuid:study_id>/assignment"): of_site(A.ANNOTATION_EDIT, body=lambda _: {"reader": None}),
    # The site's one study waits for the network, so none waits for a reader.
    ("GET", "api/v1/studies/next"): of_caller(A.ANNOTATION_EDIT, 204),
    ("GET", "api/v1/studies/<uuid:study_id>/annotations"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/studies/<uuid:study_id>/lesions"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/studies/<uuid:study_id>/draft"): of_site(A.ANNOTATION_READ),
    ("PUT", "api/v1/studies/<uuid:study_id>/draft"): of_site(A.ANNOTATION_EDIT, body=same_mask, headers=ANY_REVISION),
    ("DELETE", "api/v1/studies/<uuid:study_id>/draft"): of_site(A.ANNOTATION_EDIT, 204, headers=ANY_REVISION),
    ("GET", "api/v1/studies/<uuid:study_id>/draft/mask"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/studies/<uuid:study_id>/comments"): of_site(A.ANNOTATION_READ),
    ("POST", "api/v1/studies/<uuid:study_id>/comments"): of_site(A.ANNOTATION_EDIT, 201, body=remark),
    ("POST", "api/v1/comments/<uuid:comment_id>/resolve"): of_site(A.ANNOTATION_EDIT),
    ("GET", "api/v1/studies/<uuid:study_id>/jobs"): of_site(A.JOB_READ),
    ("POST", "api/v1/studies/<uuid:study_id>/inferences"): of_site(A.INFERENCE_REQUEST, 202),
    ("GET", "api/v1/double-readings"): of_caller(A.ANNOTATION_READ),
    # The site has no three readers: 422 says that the caller may have a study read twice.
    ("POST", "api/v1/double-readings"): of_site(A.READING_MANAGE, 422, body=panel_of_two),
    ("GET", "api/v1/double-readings/<uuid:double_reading_id>"): of_site(A.ANNOTATION_READ, but={Role.INTEGRATOR: 404}),
    # It is over: 409 says that the caller may call off one that is not.
    ("DELETE", "api/v1/double-readings/<uuid:double_reading_id>"): of_site(A.READING_MANAGE, 409),
    ("GET", "api/v1/series/<uuid:series_id>"): of_site(A.STUDY_READ),
    ("GET", "api/v1/series/<uuid:series_id>/slices"): of_site(A.STUDY_READ),
    ("GET", "api/v1/annotations/<uuid:annotation_id>"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/lesions"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/mask"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/brain-mask"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/probability"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/mask.nii.gz"): of_site(A.ANNOTATION_READ),
    # The mask is not of the grid of the series: 409 says that the caller may ask.
    ("GET", "api/v1/annotations/<uuid:annotation_id>/seg.dcm"): of_site(A.ANNOTATION_READ, 409),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/sr.dcm"): of_site(A.ANNOTATION_READ, 409),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/sc.zip"): of_site(A.ANNOTATION_READ, 409),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/lesions.csv"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/report.pdf"): of_site(A.ANNOTATION_READ, 409),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/pdf.dcm"): of_site(A.ANNOTATION_READ, 409),
    ("GET", "api/v1/annotations/<uuid:annotation_id>/fhir"): of_site(A.ANNOTATION_READ),
    ("GET", "api/v1/studies/<uuid:study_id>/registrations"): of_site(A.STUDY_READ),
    ("POST", "api/v1/studies/<uuid:study_id>/registrations"): of_site(
        A.INFERENCE_REQUEST, 202, body=lambda place: {"prior": place.parameters["prior_id"]}
    ),
    ("GET", "api/v1/registrations/<uuid:registration_id>"): of_site(A.STUDY_READ),
    # No prior is named: 422 says that the caller may ask.
    ("GET", "api/v1/studies/<uuid:study_id>/changes"): of_site(A.ANNOTATION_READ, 422),
    ("GET", "api/v1/studies/<uuid:study_id>/enhancement"): of_site(A.ANNOTATION_READ),
    # The study has no T1: 409 says that the caller may ask.
    ("POST", "api/v1/studies/<uuid:study_id>/enhancement"): of_site(A.INFERENCE_REQUEST, 409),
    ("POST", "api/v1/annotations/<uuid:annotation_id>/submit"): of_site(
        A.ANNOTATION_EDIT, 201, headers=ANY_REVISION, names={"annotation_id": "draft_id"}
    ),
    # The version is a prediction: 409 says that the caller may review one that was submitted.
    ("POST", "api/v1/annotations/<uuid:annotation_id>/approve"): of_site(A.ANNOTATION_REVIEW, 409, body=remark),
    ("POST", "api/v1/annotations/<uuid:annotation_id>/return"): of_site(A.ANNOTATION_REVIEW, 409, body=remark),
    ("GET", "api/v1/jobs"): of_caller(A.JOB_READ),
    ("GET", "api/v1/jobs/<uuid:job_id>"): of_site(A.JOB_READ),
    ("POST", "api/v1/jobs/<uuid:job_id>/cancel"): of_site(A.JOB_CANCEL),
    # The job is queued: 409 says that the caller may retry one that has failed.
    ("POST", "api/v1/jobs/<uuid:job_id>/retry"): of_site(A.INFERENCE_REQUEST, 409),
    ("GET", "api/v1/reruns"): of_caller(A.MODEL_MANAGE),
    # No study is left to be read again: 409 says that the caller may ask.
    ("POST", "api/v1/reruns"): of_caller(A.MODEL_MANAGE, 409),
    ("POST", "api/v1/reruns/preview"): of_caller(A.MODEL_MANAGE),
    ("GET", "api/v1/reruns/<uuid:rerun_id>"): of_site(A.MODEL_MANAGE),
    ("POST", "api/v1/reruns/<uuid:rerun_id>/cancel"): of_site(A.MODEL_MANAGE),
    ("GET", "api/v1/nodes"): of_caller(A.NODE_READ),
    ("POST", "api/v1/nodes"): of_caller(A.NODE_MANAGE, 201, body=new_node),
    ("GET", "api/v1/nodes/<uuid:node_id>"): of_site(A.NODE_READ),
    ("PATCH", "api/v1/nodes/<uuid:node_id>"): of_site(A.NODE_MANAGE, body=lambda _: {"is_active": False}),
    # Something was sent to it: 409 says that the caller may remove one to which nothing was.
    ("DELETE", "api/v1/nodes/<uuid:node_id>"): of_site(A.NODE_MANAGE, 409),
    # Nothing listens there: 200 says so.
    ("POST", "api/v1/nodes/<uuid:node_id>/echo"): of_site(A.NODE_MANAGE),
    # Nothing listens there: 503 says that the caller may search one that answers.
    ("POST", "api/v1/nodes/<uuid:node_id>/search"): of_site(A.NODE_SEARCH, 503, body=lambda _: {"patient_id": "P"}),
    ("GET", "api/v1/fetches"): of_caller(A.FETCH_READ),
    ("POST", "api/v1/fetches"): of_site(A.FETCH_REQUEST, 202, body=remote_study),
    ("GET", "api/v1/fetches/<uuid:fetch_id>"): of_site(A.FETCH_READ),
    ("POST", "api/v1/fetches/<uuid:fetch_id>/cancel"): of_site(A.FETCH_REQUEST),
    ("POST", "api/v1/fetches/<uuid:fetch_id>/retry"): of_site(A.FETCH_REQUEST, 202),
    ("GET", "api/v1/transfers"): of_caller(A.TRANSFER_READ),
    # The version is a prediction: 409 says that the caller may send one that is approved.
    ("POST", "api/v1/transfers"): of_site(A.TRANSFER_SEND, 409, body=version_and_node),
    ("GET", "api/v1/transfers/<uuid:transfer_id>"): of_site(A.TRANSFER_READ),
    ("POST", "api/v1/transfers/<uuid:transfer_id>/resend"): of_site(A.TRANSFER_SEND, 202),
    # Its only version is a prediction: the images leave alone.
    ("GET", "api/v1/studies/<uuid:study_id>/deidentified.zip"): of_site(A.STUDY_DEIDENTIFY, is_proven=True),
    ("GET", "api/v1/webhooks"): of_caller(A.WEBHOOK_MANAGE),
    ("POST", "api/v1/webhooks"): of_caller(A.WEBHOOK_MANAGE, 201, body=new_webhook),
    ("GET", "api/v1/webhooks/<uuid:webhook_id>"): of_site(A.WEBHOOK_MANAGE),
    ("PATCH", "api/v1/webhooks/<uuid:webhook_id>"): of_site(A.WEBHOOK_MANAGE, body=lambda _: {"is_active": False}),
    ("DELETE", "api/v1/webhooks/<uuid:webhook_id>"): of_site(A.WEBHOOK_MANAGE, 204),
    ("POST", "api/v1/webhooks/<uuid:webhook_id>/secret"): of_site(A.WEBHOOK_MANAGE),
    ("POST", "api/v1/webhooks/<uuid:webhook_id>/test"): of_site(A.WEBHOOK_MANAGE, 202),
    ("GET", "api/v1/deliveries"): of_caller(A.WEBHOOK_MANAGE),
    ("GET", "api/v1/deliveries/<uuid:delivery_id>"): of_site(A.WEBHOOK_MANAGE),
    ("POST", "api/v1/deliveries/<uuid:delivery_id>/redeliver"): of_site(A.WEBHOOK_MANAGE, 202),
    ("GET", "api/v1/models"): of_caller(A.MODEL_READ),
    ("GET", "api/v1/models/<uuid:pk>"): of_caller(A.MODEL_READ, names={"pk": "model"}),
    ("GET", "api/v1/snapshots"): of_caller(A.TRAINING_READ),
    ("POST", "api/v1/snapshots"): of_caller(A.TRAINING_MANAGE, 202),
    ("GET", "api/v1/snapshots/<uuid:snapshot_id>"): of_site(A.TRAINING_READ),
    ("GET", "api/v1/snapshots/<uuid:snapshot_id>/studies"): of_site(A.TRAINING_READ),
    # No other snapshot is named: 400 says that the caller may compare.
    ("GET", "api/v1/snapshots/<uuid:snapshot_id>/difference"): of_caller(A.TRAINING_READ, 400),
    # It has failed: 409 says that the caller may export one that is ready.
    ("GET", "api/v1/snapshots/<uuid:snapshot_id>/export.zip"): of_site(A.TRAINING_READ, 409, is_proven=True),
    ("GET", "api/v1/runs"): of_caller(A.TRAINING_READ),
    # The snapshot has failed: 409 says that the caller may train on one that is ready.
    ("POST", "api/v1/runs"): of_site(A.TRAINING_MANAGE, 409, body=on_snapshot),
    ("POST", "api/v1/runs/preflight"): of_site(A.TRAINING_MANAGE, 409, body=on_snapshot),
    ("GET", "api/v1/runs/<uuid:run_id>"): of_site(A.TRAINING_READ),
    ("GET", "api/v1/runs/<uuid:run_id>/points"): of_site(A.TRAINING_READ),
    ("GET", "api/v1/runs/<uuid:run_id>/samples"): of_site(A.TRAINING_READ),
    ("GET", "api/v1/runs/<uuid:run_id>/samples/<int:number>/slice.png"): of_site(A.TRAINING_READ),
    ("GET", "api/v1/runs/<uuid:run_id>/log.txt"): of_site(A.TRAINING_READ),
    ("POST", "api/v1/runs/<uuid:run_id>/cancel"): of_site(A.TRAINING_MANAGE),
    ("GET", "api/v1/workers"): of_caller(A.WORKER_READ),
    ("GET", "api/v1/registrations"): of_caller(A.JOB_READ),
    ("POST", "api/v1/registrations/<uuid:registration_id>/cancel"): of_site(A.JOB_CANCEL),
    ("GET", "api/v1/schedules"): of_caller(A.TRAINING_READ),
    ("POST", "api/v1/schedules"): of_caller(A.TRAINING_MANAGE, 201, body=nightly),
    ("GET", "api/v1/schedules/<uuid:schedule_id>"): of_site(A.TRAINING_READ),
    ("PUT", "api/v1/schedules/<uuid:schedule_id>"): of_site(A.TRAINING_MANAGE, body=nightly),
    ("DELETE", "api/v1/schedules/<uuid:schedule_id>"): of_site(A.TRAINING_MANAGE, 204),
    ("GET", "api/v1/schedules/<uuid:schedule_id>/firings"): of_site(A.TRAINING_READ),
    # The champion was not judged: 404 says that the caller may read of one that was.
    ("GET", "api/v1/models/<uuid:model_id>/gate"): of_caller(A.MODEL_READ, 404, names={"model_id": "model"}),
    ("GET", "api/v1/models/<uuid:model_id>/evaluations"): of_caller(A.TRAINING_READ, names={"model_id": "model"}),
    # It is the champion: 409 says that the caller may have a candidate evaluated.
    ("POST", "api/v1/models/<uuid:model_id>/evaluations"): of_caller(A.MODEL_MANAGE, 409, names={"model_id": "model"}),
    ("GET", "api/v1/evaluations"): of_caller(A.TRAINING_READ),
    # No such evaluation: 404 says that the caller may cancel one.
    ("POST", "api/v1/evaluations/<uuid:evaluation_id>/cancel"): of_caller(
        A.MODEL_MANAGE, 404, names={"evaluation_id": "study_id"}
    ),
    # Its files come with the software: 409 says that the caller may export one that was trained.
    ("GET", "api/v1/models/<uuid:model_id>/file"): of_caller(
        A.MODEL_MANAGE, 409, names={"model_id": "model"}, is_proven=True
    ),
    # It is no model: 422 says that the caller may import one.
    ("POST", "api/v1/models/import"): of_caller(
        A.MODEL_MANAGE, 422, body=lambda _: {"file": one_file()}, media_type=FORM
    ),
    # It is the champion: 409 says that the caller may promote a candidate.
    ("POST", "api/v1/models/<uuid:model_id>/promote"): of_caller(
        A.MODEL_MANAGE, 409, body=remark, names={"model_id": "model"}
    ),
    # It replaced none: 409 says that the caller may roll back one that did.
    ("POST", "api/v1/models/<uuid:model_id>/rollback"): of_caller(
        A.MODEL_MANAGE, 409, body=remark, names={"model_id": "model"}
    ),
    # The champion never read along: 404 and 409 say that the caller may ask of one that did, and let a candidate do so.
    ("GET", "api/v1/models/<uuid:model_id>/shadow"): of_caller(A.TRAINING_READ, 404, names={"model_id": "model"}),
    ("POST", "api/v1/models/<uuid:model_id>/shadow"): of_caller(A.MODEL_MANAGE, 409, names={"model_id": "model"}),
    ("DELETE", "api/v1/models/<uuid:model_id>/shadow"): of_caller(A.MODEL_MANAGE, 409, names={"model_id": "model"}),
    ("GET", "api/v1/models/<uuid:model_id>/shadow/readings"): of_caller(
        A.TRAINING_READ, 404, names={"model_id": "model"}
    ),
    # No such reading: 404 says that the caller may cancel and retry one.
    ("POST", "api/v1/shadow-readings/<uuid:reading_id>/cancel"): of_caller(
        A.MODEL_MANAGE, 404, names={"reading_id": "study_id"}
    ),
    ("POST", "api/v1/shadow-readings/<uuid:reading_id>/retry"): of_caller(
        A.MODEL_MANAGE, 404, names={"reading_id": "study_id"}
    ),
    ("GET", "api/v1/monitoring"): of_caller(A.TRAINING_READ),
    ("GET", "api/v1/cohort"): of_caller(A.STUDY_DEIDENTIFY),
    ("GET", "api/v1/cohort.csv"): of_caller(A.STUDY_DEIDENTIFY, is_proven=True),
    ("POST", "api/v1/uploads"): of_caller(A.STUDY_UPLOAD, 202, body=lambda _: {"file": one_file()}, media_type=FORM),
    ("GET", "api/v1/uploads/<uuid:upload_id>"): of_site(A.STUDY_UPLOAD),
    ("GET", "dicom-web/studies"): of_caller(A.DICOMWEB_READ),
    ("POST", "dicom-web/studies"): of_caller(A.DICOMWEB_STORE, body=new_instance, media_type=STOW),
    ("GET", "dicom-web/series"): of_caller(A.DICOMWEB_READ),
    ("GET", "dicom-web/instances"): of_caller(A.DICOMWEB_READ),
    ("GET", f"{STUDY}"): of_site(A.DICOMWEB_READ),
    # A site stores into a study of its own, whatever another site has by that UID.
    ("POST", f"{STUDY}"): of_caller(
        A.DICOMWEB_STORE, body=new_instance_of_study, media_type=STOW, repeats_what_it_was_sent=True
    ),
    # The network has read it: 409 says that the caller may remove one that nobody has.
    ("DELETE", f"{STUDY}"): of_site(A.STUDY_DELETE, 409, is_proven=True),
    ("DELETE", f"{SERIES}"): of_site(A.STUDY_DELETE, 409, is_proven=True),
    ("DELETE", f"{INSTANCE}"): of_site(A.STUDY_DELETE, 409, is_proven=True),
    ("GET", f"{STUDY}/metadata"): of_site(A.DICOMWEB_READ),
    # A search that finds nothing is 204. Source: PS3.18 10.6.3.
    ("GET", f"{STUDY}/series"): of_site(A.DICOMWEB_READ, other=204),
    ("GET", f"{STUDY}/instances"): of_site(A.DICOMWEB_READ, other=204),
    ("GET", f"{SERIES}"): of_site(A.DICOMWEB_READ),
    ("GET", f"{SERIES}/metadata"): of_site(A.DICOMWEB_READ),
    ("GET", f"{SERIES}/instances"): of_site(A.DICOMWEB_READ, other=204),
    ("GET", f"{INSTANCE}"): of_site(A.DICOMWEB_READ),
    ("GET", f"{INSTANCE}/metadata"): of_site(A.DICOMWEB_READ),
    ("GET", f"{INSTANCE}/frames/<str:frame_list>"): of_site(A.DICOMWEB_READ),
    ("GET", f"{INSTANCE}/bulkdata/<str:tag>"): of_site(A.DICOMWEB_READ),
    **{
        ("GET", f"{place}/{picture}"): of_site(A.DICOMWEB_READ)
        for place in (STUDY, SERIES, INSTANCE, f"{INSTANCE}/frames/<str:frame_list>")
        for picture in ("rendered", "thumbnail")
    },
}

# Open to strangers, each for a reason: they are asked before anybody can sign in, or hold nothing of a patient.
OPEN = {("GET", "api/v1/schema/"), ("GET", "api/v1/docs/"), ("GET", "api/v1/sign-in")}
NOT_REST = {
    "healthz",
    "readyz",
    "metrics",  # for the token of the settings: tests/operations/test_metrics.py
    "ws/feed",
    "_allauth/browser/v1/auth/session",
    "_allauth/browser/v1/auth/login",
    "_allauth/browser/v1/auth/reauthenticate",
    "_allauth/browser/v1/auth/password/reset",  # for the holder of a link: tests/accounts/test_password_links.py
    "_allauth/browser/v1/account/password/change",
    # of one's own account: tests/accounts/test_second_factor.py, test_passkeys.py and test_sessions.py
    "_allauth/browser/v1/auth/2fa/authenticate",
    "_allauth/browser/v1/auth/2fa/reauthenticate",
    "_allauth/browser/v1/auth/webauthn/login",
    "_allauth/browser/v1/auth/webauthn/authenticate",
    "_allauth/browser/v1/auth/webauthn/reauthenticate",
    "_allauth/openid",  # tests/accounts/test_openid.py
    "_allauth/openid/<str:provider_id>/callback",
    "_allauth/browser/v1/auth/sessions",
    "_allauth/browser/v1/account/authenticators",
    "_allauth/browser/v1/account/authenticators/totp",
    "_allauth/browser/v1/account/authenticators/webauthn",
    "_allauth/browser/v1/account/authenticators/recovery-codes",
    r"^(?:api|dicom-web|_allauth|static|ws)(?:/|$)",
    "^",
}
