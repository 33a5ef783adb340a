"""The DICOM conformance statement, as far as the code's own tables say it. Source: PS3.2."""

from collections.abc import Iterable, Sequence
from typing import Final, cast

from pydicom.datadict import tag_for_keyword
from pydicom.uid import UID
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from plaqueview import __version__
from plaqueview.imaging.frame_pixels import FORMATS, VOI_FUNCTIONS
from plaqueview.pacs import api, failures, rendering, search, urls
from plaqueview.pacs.bulk_data import LARGEST_INLINE_BYTES
from plaqueview.pacs.commitment import NOT_AUTHORIZED
from plaqueview.pacs.commitment_provider import PAUSES_S
from plaqueview.pacs.dimse_commitment import PATIENCE_S
from plaqueview.pacs.get_contexts import COMPRESSED, DOCUMENTS, IMAGES, MOST_CONTEXTS, NATIVE
from plaqueview.pacs.listener import LARGEST_PDU_BYTES, MOST_ASSOCIATIONS, TIMEOUT_S, application_entity
from plaqueview.pacs.matching import Match, match_date, match_name, match_number, match_text, match_time, match_uid
from plaqueview.pacs.media_ranges import ACCEPT, CHARSET
from plaqueview.pacs.remote_studies import RETURNED
from plaqueview.pacs.stored_frames import USUAL_SYNTAX
from plaqueview.studies.instance_file import Refusal

MATCHES: Final[dict[Match | None, str]] = {
    match_uid: "one UID or a list",
    match_text: "the whole value, with the wildcards * and ?",
    match_name: "as text, the whole or a group of it, without regard to case and to empty components at its end",
    match_number: "a whole number",
    match_date: "a day or a range of days",
    match_time: "a time or a range of times",
    None: "returned only",
}
LEVELS: Final = {
    "Study": search.STUDY_ATTRIBUTES,
    "Series": search.SERIES_ATTRIBUTES,
    "Instance": search.INSTANCE_ATTRIBUTES,
}
NO_STORAGE: Final = {Verification, StorageCommitmentPushModel}
QUERY_MODELS: Final = (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)


def conformance_statement() -> str:
    """Markdown; the same from the same code."""
    parts = (_head(), _storage_provider(), _user(), _statuses(), _routes(), _media_types(), _attributes(), _limits())
    return "\n".join(line for part in parts for line in part) + "\n"


def _head() -> list[str]:
    return [
        "# DICOM conformance statement",
        "",
        "Written by `plaqueview manage conformance_statement` from the tables that the code itself runs by.",
        f"PlaqueView {__version__}. Research use only, not a medical device.",
        "",
    ]


def _storage_provider() -> list[str]:
    """What the listener accepts."""
    entity = application_entity()
    storage = [one for one in entity.supported_contexts if one.abstract_syntax not in NO_STORAGE]
    syntaxes = {tuple(map(str, one.transfer_syntax)) for one in storage}
    (accepted,) = syntaxes  # one list for all, or this statement has to tell them apart
    return [
        "## DIMSE: service class provider",
        "",
        "Verification, and Storage of the classes below, as the peer encoded them: nothing is coerced or decoded.",
        f"At most {MOST_ASSOCIATIONS} associations at once in each of the listener's processes, PDUs of",
        f"{LARGEST_PDU_BYTES} bytes, {TIMEOUT_S} seconds of silence.",
        "The called AE title is ours (`PLAQUEVIEW_DICOM_AE_TITLE`), the calling one is one of",
        "`PLAQUEVIEW_DICOM_CALLING_AE_TITLES`; any other association is rejected.",
        "With `PLAQUEVIEW_DICOM_TLS_CERTIFICATE` TLS 1.2 or newer and nothing else (PS3.15 B.12), with",
        "`PLAQUEVIEW_DICOM_TLS_CALLERS` for callers whose certificate is of these authorities.",
        "Not provided: C-FIND, C-GET, C-MOVE,",
        "extended negotiation.",
        "",
        f"{StorageCommitmentPushModel.name} ({StorageCommitmentPushModel}): a request (N-ACTION) is answered by an",
        "N-EVENT-REPORT with what is kept, and for each other instance why not: no such instance, another class, or",
        "bytes that are not whole. It goes by an association of ours, as its provider, to the one active node whose",
        f"AE title called, tried {len(PAUSES_S)} times within {sum(PAUSES_S):.0f} s. A caller without such a node is",
        f"refused with status {NOT_AUTHORIZED:#06x}.",
        "",
        *_table(("Transfer syntax", "UID"), [(UID(one).name, one) for one in accepted]),
        *_table(("Storage SOP class", "UID"), [_named(cast(UID, one.abstract_syntax)) for one in storage]),
    ]


def _user() -> list[str]:
    """What is proposed to peers."""
    native = ", ".join(UID(one).name for one in NATIVE)
    compressed = ", ".join(UID(one).name for one in COMPRESSED)
    return [
        "## DIMSE: service class user",
        "",
        "Storage of what is sent: Segmentation, SR, Secondary Capture, Encapsulated PDF, in the transfer syntax that",
        f"was written, or {native}. Verification when an administrator asks. Search and retrieval",
        "as below; a peer without C-GET is asked for C-MOVE to the listener above.",
        "Storage commitment of what was sent, where the node is set up so: its report is heard for",
        f"{PATIENCE_S:.0f} s by the association that asked, and by any association to the listener above in which the",
        "peer is the provider, until `PLAQUEVIEW_TRANSFER_COMMITMENT_S`.",
        "",
        *_table(("Query/Retrieve SOP class", "UID"), [_named(model) for model in QUERY_MODELS]),
        "Attributes asked of each study: " + ", ".join(f"`{keyword}`" for keyword in RETURNED) + ".",
        "",
        "By C-GET whatever classes the peer says are in the study (`SOPClassesInStudy`); of a peer that does not say,",
        f"those below. In {native}, and, but for documents, also in {compressed},",
        f"as far as the {MOST_CONTEXTS} presentation contexts of an association reach.",
        "",
        *_table(("Storage SOP class", "UID"), [_named(one) for one in (*IMAGES, *DOCUMENTS)]),
    ]


def _statuses() -> list[str]:
    rows = [(f"0x{failures.STATUS_OF_REFUSAL[one]:04X}", one.value.replace("_", " ")) for one in Refusal]
    own = [
        (f"0x{failures.SUCCESS:04X}", "kept, or kept before with the same content"),
        (f"0x{failures.COERCED:04X}", "kept without its patient, as the rule of the sending node has it"),
        (f"0x{failures.OUT_OF_RESOURCES:04X}", "no room on the disk"),
    ]
    return [
        "## Storage: statuses and failure reasons",
        "",
        "The same by C-STORE and by STOW-RS.",
        "",
        *_table(("Status", "Meaning"), [*own, *rows]),
    ]


def _routes() -> list[str]:
    rows = []
    for pattern in urls.urlpatterns:
        view = pattern.callback.view_class  # type: ignore[attr-defined]  # of a class-based view
        address = str(pattern.pattern).replace("<str:", "{").replace(">", "}")
        rows.append((f"`/dicom-web/{address}`", ", ".join(sorted(view.actions))))
    return ["## DICOMweb: origin server", "", *_table(("Resource", "Methods"), rows)]


def _media_types() -> list[str]:
    return [
        "## DICOMweb: media types",
        "",
        *_table(
            ("What", "Media types"),
            [
                ("Store", f'`multipart/related; type="{api.DICOM}"`'),
                ("Search and metadata", f"`{api.DICOM_JSON}`"),
                (
                    "Study, series, instance",
                    f'`multipart/related; type="{api.DICOM}"`, one instance also `{api.DICOM}`',
                ),
                ("Frames", f'`multipart/related; type="{api.OCTETS}"`, one frame also `{api.OCTETS}`'),
                ("Frames as stored", ", ".join(f"`{one}`" for one in USUAL_SYNTAX)),
                ("Bulk data", f'`{api.OCTETS}`, `multipart/related; type="{api.OCTETS}"`; pixel data also as frames'),
                ("Rendered and thumbnails", ", ".join(f"`{one}`" for one in FORMATS)),
            ],
        ),
        f"The query parameter `{ACCEPT}` comes before the header `Accept`; in both `q` weighs.",
        f"Texts are in UTF-8, and `{CHARSET}` needs to accept that; searches and headers are JSON, never XML.",
        "A single part also comes by one range of its bytes (`Range`, `If-Range`).",
        "Instances come as stored (`transfer-syntax=*`) or as Explicit VR Little Endian; frames",
        "uncompressed, or as stored where their media type is asked for: nothing is compressed anew.",
        "Among several, an instance that cannot be brought into Explicit VR Little Endian comes as stored, and the",
        "`transfer-syntax` of its part says so; by itself it is refused.",
        f"Metadata name binary values of more than {LARGEST_INLINE_BYTES} bytes by a `BulkDataURI`;",
        "in an item of a sequence `tag` is the sequence's tag, the item's number from 0 and the element's tag,",
        "as in `00283010.0.00283006`.",
        f"Rendered with {', '.join(f'`{one}`' for one in rendering.PARAMETERS)}",
        f"(window functions: {', '.join(VOI_FUNCTIONS)};",
        f"a viewport of at most {rendering.LARGEST_SIDE} pixels a side, and no part of a picture).",
        f"Among several, a `{rendering.WORDS}` part says why in the place of a frame that cannot be decoded.",
        "",
    ]


def _attributes() -> list[str]:
    rows = [
        (level, one.keyword, _tag(one.keyword), MATCHES[one.match]) for level, table in LEVELS.items() for one in table
    ]
    modalities = search.MODALITIES.keyword
    rows.insert(0, ("Study", modalities, _tag(modalities), MATCHES[match_text]))
    return [
        "## DICOMweb: attributes of a search",
        "",
        "A search at a lower level also matches and returns what stands above it; any other attribute is refused.",
        "",
        *_table(("Level", "Attribute", "Tag", "Matching"), rows),
    ]


def _limits() -> list[str]:
    return [
        f"A search returns {search.DEFAULT_RESULTS} results, by `limit` at most {search.MOST_RESULTS},",
        "and a `Warning` when there are more. With `fuzzymatching=true` each word of a PatientName begins a word of",
        "the patient's name or identifier, in any order, without case and accents; every attribute of the table is",
        "returned without `includefield`.",
        "Every resource needs a token or a session; what is seen is that of the caller's sites.",
    ]


def _tag(keyword: str) -> str:
    tag = tag_for_keyword(keyword) or 0
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _named(uid: UID) -> tuple[str, str]:
    return uid.name, str(uid)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return [*lines, ""]
