"""Pages, requests and the REST API."""

from pathlib import Path

from environs import validate

from plaqueview import __version__
from plaqueview.settings.environment import env, read

# -- static files and the built frontend -----------------------------------------------------------------------------
WEB_DIR = Path(__file__).parents[1] / "web"
STATIC_URL = "/static/"
# Where `collectstatic` puts the files for nginx; without it, this process serves them from the packages.
STATIC_ROOT = read(env.path, "PLAQUEVIEW_STATIC_DIR", None)
STATICFILES_DIRS = [("web", WEB_DIR)] if WEB_DIR.is_dir() else []
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
# The bundler puts a hash of the content into these names.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/web/assets/.+-[\w-]{8}\.\w+$"
WHITENOISE_AUTOREFRESH = False

# -- requests --------------------------------------------------------------------------------------------------------
REQUEST_MAX_BYTES = read(env.int, "PLAQUEVIEW_REQUEST_MAX_BYTES", 16 * 1024**2, validate=validate.Range(min=1024))
UPLOAD_MAX_FILES = read(env.int, "PLAQUEVIEW_UPLOAD_MAX_FILES", 20_000, validate=validate.Range(min=1))
UPLOAD_MAX_BYTES = read(env.int, "PLAQUEVIEW_UPLOAD_MAX_BYTES", 8 * 1024**3, validate=validate.Range(min=1))
UPLOAD_MAX_COMPRESSION_RATIO = read(
    env.int, "PLAQUEVIEW_UPLOAD_MAX_COMPRESSION_RATIO", 200, validate=validate.Range(min=1)
)
DATA_UPLOAD_MAX_MEMORY_SIZE = REQUEST_MAX_BYTES
DATA_UPLOAD_MAX_NUMBER_FILES = UPLOAD_MAX_FILES
# nginx, which sees the storage too, sends stored instances (docs/decisions/0045-nginx-sends.md).
NGINX_SENDS_FILES = read(env.bool, "PLAQUEVIEW_NGINX_SENDS_FILES", False)
REQUESTS_PER_MINUTE = read(env.int, "PLAQUEVIEW_REQUESTS_PER_MINUTE", 3000, validate=validate.Range(min=60))

# -- REST ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "plaqueview.accounts.authentication.TokenAuthentication",
        "plaqueview.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "plaqueview.core.permissions.ActionPermission",
        "plaqueview.accounts.permissions.ProofPermission",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["plaqueview.core.throttling.CallerThrottle"],
    "DEFAULT_PAGINATION_CLASS": "plaqueview.core.api.CappedPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "plaqueview.core.schema.ProblemAutoSchema",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "EXCEPTION_HANDLER": "plaqueview.core.api.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "PlaqueView",
    "VERSION": __version__,
    "DESCRIPTION": "FLAIR studies, the plaques that the network and the readers mark, and their counts. "
    "Research use only, not a medical device.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "WEBHOOKS": [
        "plaqueview.webhooks.openapi.STUDY_RECEIVED",
        "plaqueview.webhooks.openapi.JOB_COMPLETED",
        "plaqueview.webhooks.openapi.ANNOTATION_APPROVED",
        "plaqueview.webhooks.openapi.EXPORT_FAILED",
        "plaqueview.webhooks.openapi.WEBHOOK_TESTED",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Action": "plaqueview.core.access.Action",
        "AnnotationState": "plaqueview.annotations.models.AnnotationState.values",
        "Evidence": "plaqueview.annotations.models.Evidence.values",
        "DoubleReadingState": "plaqueview.annotations.models.DoubleReadingState.values",
        "EventKind": "plaqueview.audit.models.EventKind",
        "FetchedOutcome": "plaqueview.inbox.models.REMARKABLE",
        "FetchState": "plaqueview.inbox.models.FetchState.values",
        "JobStage": "plaqueview.inference.models.JobStage.values",
        "JobState": "plaqueview.inference.models.JobState.values",
        "ModelStage": "plaqueview.registry.models.Stage",
        "NodeKind": "plaqueview.pacs.models.NodeKind.values",
        "PeerProblem": "plaqueview.pacs.peer.PeerProblem.values",
        "SentDocument": "plaqueview.pacs.models.SentDocument.values",
        "ReviewStepName": "plaqueview.annotations.models.Step.values",
        "Role": "plaqueview.core.access.Role",
        "StudyState": "plaqueview.studies.models.StudyState",
        "RunStage": "plaqueview.training.models.RunStage.values",
        "PromotionKind": "plaqueview.training.models.PromotionKind.values",
        "Start": "plaqueview.training.recipe.Start",
        "FiringState": "plaqueview.training.models.FiringState.values",
        "SnapshotState": "plaqueview.training.models.SnapshotState.values",
        "Side": "plaqueview.training.models.Side.values",
        "TransferState": "plaqueview.outbox.models.TransferState.values",
        "DeliveryState": "plaqueview.webhooks.models.DeliveryState.values",
        "WebhookEvent": "plaqueview.webhooks.models.WebhookEvent.values",
        "UploadState": "plaqueview.studies.models.UploadState",
    },
}
