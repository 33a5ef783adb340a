"""The DICOMweb server: storing, searching, retrieving. Source: PS3.18."""

import logging
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from pydicom.uid import ExplicitVRLittleEndian
from rest_framework.exceptions import NotAcceptable, ParseError, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.accounts.models import User
from plaqueview.core.access import Action
from plaqueview.core.errors import InvalidError
from plaqueview.core.storage import stored_path
from plaqueview.pacs import frames, search, stow
from plaqueview.pacs.kept_headers import metadata_of
from plaqueview.pacs.media_ranges import Made, chosen, is_utf_8_accepted
from plaqueview.pacs.multipart import BrokenBodyError, PartWriter, media_type_of
from plaqueview.pacs.ranges import Asked, answer_of, is_known
from plaqueview.pacs.retrieval import StoredInstance, etag_of, retrieve
from plaqueview.pacs.senders import deidentified_account
from plaqueview.studies import services
from plaqueview.studies.reading import site_of
from plaqueview.studies.services import Arrival, Source

logger = logging.getLogger(__name__)

DICOM_JSON = "application/dicom+json"
DICOM = "application/dicom"
OCTETS = "application/octet-stream"

# What is stored never changes, so a viewer need not ask twice; "private" keeps it out of shared caches.
IMMUTABLE = "private, max-age=31536000, immutable"
# The instances of a study may become more.
REVALIDATED = "private, no-cache"


# In parts or alone, brought into the syntax or as stored. Source: PS3.18 8.7.3.5.2.
INSTANCE_FORMS: Final = tuple(
    Made(DICOM, is_single, syntax, parameters)
    for is_single in (False, True)
    for syntax, parameters in (
        (str(ExplicitVRLittleEndian), frozenset({"", str(ExplicitVRLittleEndian)})),
        ("*", frozenset({"*"})),
    )
)

# The same JSON by either name.
JSON_FORMS: Final = (Made(DICOM_JSON, is_single=True), Made("application/json", is_single=True))

# The location in deploy/nginx.conf that shows nginx the storage, and nobody else.
SENT_BY_NGINX = "/stored/"


class AnyAccept(DefaultContentNegotiation):
    """DICOMweb negotiates by parameters that the framework does not know; problems stay JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:  # Any: the framework's
        return renderers[0], renderers[0].media_type


class Unread(BaseParser):
    """Leaves the body where it is; the framework asks for a form in it before it believes a session."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, str]:  # Any: as above
        return {}


class DicomWebView(APIView):
    content_negotiation_class = AnyAccept
    parser_classes = [Unread]
    throttle_classes = []  # a viewer asks for a frame by a request each
    schema = None  # PS3.18 describes it, and OpenAPI cannot: its answers are multipart/related

    @property
    def default_response_headers(self) -> dict[str, str]:
        """With what else than the address decides: one resource comes in several forms. Source: RFC 9110, 12.5.5."""
        return {**super().default_response_headers, "Vary": "Accept"}


def root() -> str:
    """The address of this service: from the settings, for a Host header may be anything."""
    return f"{settings.ORIGIN}/dicom-web"


# --- storing ----------------------------------------------------------------------------------------------------------


def store(request: Request, study_uid: str = "") -> HttpResponse:
    """Source: PS3.18 10.5."""
    media_type, parameters = media_type_of(request.headers.get("Content-Type", ""))
    boundary = parameters.get("boundary", "")
    if media_type != "multipart/related" or parameters.get("type", DICOM).lower() != DICOM or not boundary:
        raise UnsupportedMediaType(media_type, f"need multipart/related of {DICOM} with a boundary")
    actor = user_of(request)
    site = site_of(actor=actor, site_id=request.query_params.get("site", ""))
    node_id = deidentified_account(site, actor)
    arrival = Arrival(site, Source.STOW, actor, study_uid, deidentified_node_id=node_id)
    try:
        report = stow.store_body(_reader(request), boundary=boundary, arrival=arrival)
    except BrokenBodyError as error:
        raise ParseError(str(error)) from error
    if not report.received and not report.foreign_parts:
        raise ParseError("the body has no part")
    answer = JsonResponse(stow.response_dataset(report, root()), status=report.status, content_type=DICOM_JSON)
    for reason in stow.reasons(report)[:1]:
        answer["Warning"] = f'299 plaqueview "{reason.encode("ascii", "replace").decode()}"'
    return answer


def _reader(request: Request) -> Callable[[int], bytes]:
    """The body as it comes; Django itself takes a body without a length for an empty one."""
    environ = request.META
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return _limited(environ["wsgi.input"].read, settings.UPLOAD_MAX_BYTES)
    return request._request.read  # noqa: SLF001  # the framework has no name for the unparsed stream


def _limited(read: Callable[[int], bytes], limit_bytes: int) -> Callable[[int], bytes]:
    left = limit_bytes

    def read_within_limit(size: int) -> bytes:
        nonlocal left
        chunk = read(size)
        left -= len(chunk)
        if left < 0:
            raise BrokenBodyError(f"the body has more than {limit_bytes} bytes")
        return chunk

    return read_within_limit


# --- searching --------------------------------------------------------------------------------------------------------


def answer_search(
    request: Request,
    find: Callable[[search.Search], search.SearchResult],
    *,
    study_uid: str = "",
    series_uid: str = "",
) -> HttpResponse:
    """Source: PS3.18 10.6.3."""
    require_json(request)
    parameters = request.query_params.dict()
    result = find(search.Search(user_of(request), parameters, root(), study_uid, series_uid))
    if not result.datasets:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    answer = JsonResponse(result.datasets, safe=False, content_type=DICOM_JSON)
    warnings = [
        f"the parameter {name} is not supported; only literal matching was made"
        for name in search.UNMADE
        if parameters.get(name, "").lower() == "true"
    ]
    if result.has_more:
        warnings.append("there are more results; ask again with limit and offset")
    if warnings:
        answer["Warning"] = ", ".join(f'299 plaqueview "{one}"' for one in warnings)
    return answer


def require_json(request: Asked) -> None:
    """Raises: NotAcceptable; ParseError for texts in another character set."""
    if chosen(request, JSON_FORMS) is None:
        raise NotAcceptable(f"need {DICOM_JSON}")
    require_utf_8(request)


def require_utf_8(request: Asked) -> None:
    """Raises: ParseError."""
    if not is_utf_8_accepted(request):
        raise ParseError("charset needs to be utf-8")


class Studies(DicomWebView):
    """Search for studies, or store instances of any."""

    actions: ClassVar = {"GET": Action.DICOMWEB_READ, "POST": Action.DICOMWEB_STORE}

    def get(self, request: Request) -> HttpResponse:
        return answer_search(request, search.search_studies)

    def post(self, request: Request) -> HttpResponse:
        return store(request)


class AllSeries(DicomWebView):
    actions: ClassVar = {"GET": Action.DICOMWEB_READ}

    def get(self, request: Request, study_uid: str = "") -> HttpResponse:
        return answer_search(request, search.search_series, study_uid=study_uid)


class AllInstances(DicomWebView):
    actions: ClassVar = {"GET": Action.DICOMWEB_READ}

    def get(self, request: Request, study_uid: str = "", series_uid: str = "") -> HttpResponse:
        return answer_search(request, search.search_instances, study_uid=study_uid, series_uid=series_uid)


# --- retrieving -------------------------------------------------------------------------------------------------------


class RetrieveView(DicomWebView):
    """Retrieve everything below the UIDs of the route, or remove it."""

    actions: ClassVar = {"GET": Action.DICOMWEB_READ, "DELETE": Action.STUDY_DELETE}
    proven_methods: ClassVar = {"DELETE"}

    def get(
        self, request: Request, study_uid: str, series_uid: str | None = None, instance_uid: str | None = None
    ) -> HttpResponseBase:
        return answer_instances(request, user_of(request), study_uid, series_uid, instance_uid)

    def delete(self, request: Request, study_uid: str, series_uid: str = "", instance_uid: str = "") -> HttpResponse:
        services.remove(actor=user_of(request), study_uid=study_uid, series_uid=series_uid, instance_uid=instance_uid)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class StudyView(RetrieveView):
    """A study's own address also stores into it."""

    actions: ClassVar = {**RetrieveView.actions, "POST": Action.DICOMWEB_STORE}

    def post(self, request: Request, study_uid: str) -> HttpResponse:
        return store(request, study_uid)


def answer_instances(
    request: Asked, actor: User, study_uid: str, series_uid: str | None = None, instance_uid: str | None = None
) -> HttpResponseBase:
    """Everything below the UIDs. Raises: as `retrieve`, `_form_of` and `read_instance`."""
    instances = retrieve(actor=actor, study_uid=study_uid, series_uid=series_uid, instance_uid=instance_uid)
    form = _form_of(request)
    syntax, is_alone = form.transfer_syntax_uid, form.is_single and len(instances) == 1
    etag = etag_of(instances, syntax, "alone" if is_alone else "parts")
    headers = {"ETag": etag, "Cache-Control": IMMUTABLE if instance_uid else REVALIDATED}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    if is_alone:
        return _alone(request, instances[0], syntax, headers)
    writer = PartWriter(DICOM)
    if all(syntax in {"*", instance.transfer_syntax_uid} for instance in instances):
        sizes = [(_part_type(instance, syntax), instance.size_bytes) for instance in instances]
        headers["Content-Length"] = str(writer.size_bytes(sizes))
    body = writer.body(_instance_parts(instances, syntax))
    return StreamingHttpResponse(body, content_type=writer.content_type, headers=headers)


def _alone(request: Asked, instance: StoredInstance, syntax: str, headers: dict[str, str]) -> HttpResponse:
    """One instance without a wrapping; whole and as stored, it may be nginx that sends it."""
    is_whole_file = syntax in {"*", instance.transfer_syntax_uid} and not request.headers.get("Range", "")
    if settings.NGINX_SENDS_FILES and is_whole_file:
        place = stored_path(instance.storage_key).relative_to(settings.STORAGE_DIR).as_posix()
        return HttpResponse(content_type=DICOM, headers={**headers, "X-Accel-Redirect": f"{SENT_BY_NGINX}{place}"})
    content = frames.read_instance(instance, transfer_syntax_uid=syntax)
    return answer_of(request, content, DICOM, headers)


def _instance_parts(instances: Sequence[StoredInstance], syntax: str) -> Iterable[tuple[str, bytes]]:
    """Raises: as `read_instance`, where there is one instance only, and before anything of the answer is sent."""
    if len(instances) == 1:
        return [_part(instances[0], syntax)]
    return (_part_or_stored(instance, syntax) for instance in instances)


def _part(instance: StoredInstance, syntax: str) -> tuple[str, bytes]:
    return _part_type(instance, syntax), frames.read_instance(instance, transfer_syntax_uid=syntax)


def _part_or_stored(instance: StoredInstance, syntax: str) -> tuple[str, bytes]:
    """As stored, and called so, where it cannot be brought into the syntax: all the others are not lost with it."""
    try:
        return _part(instance, syntax)
    except InvalidError as error:
        logger.warning("%s is sent as stored: %s", instance.storage_key, error)
        return _part(instance, "*")


def _part_type(instance: StoredInstance, syntax: str) -> str:
    return f"{DICOM}; transfer-syntax={instance.transfer_syntax_uid if syntax == '*' else syntax}"


def _form_of(request: Asked) -> Made:
    """Raises: NotAcceptable."""
    form = chosen(request, INSTANCE_FORMS)
    if form is None:
        raise NotAcceptable(f"need {DICOM} with transfer-syntax=* or {ExplicitVRLittleEndian}")
    return form


class Metadata(DicomWebView):
    actions: ClassVar = {"GET": Action.DICOMWEB_READ}

    def get(
        self, request: Request, study_uid: str, series_uid: str | None = None, instance_uid: str | None = None
    ) -> HttpResponse:
        return answer_metadata(request, user_of(request), study_uid, series_uid, instance_uid)


def answer_metadata(
    request: Asked, actor: User, study_uid: str, series_uid: str | None = None, instance_uid: str | None = None
) -> HttpResponse:
    """The headers of everything below the UIDs. Raises: as `retrieve` and `require_json`."""
    require_json(request)
    instances = retrieve(actor=actor, study_uid=study_uid, series_uid=series_uid, instance_uid=instance_uid)
    headers = {"ETag": etag_of(instances, "metadata"), "Cache-Control": IMMUTABLE if instance_uid else REVALIDATED}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return HttpResponse(metadata_of(instances), content_type=DICOM_JSON, headers=headers)
