"""Every write of studies, by the module that does it; the floors above call these and no others."""

from plaqueview.studies.arrivals import Arrival, Received, Source
from plaqueview.studies.intake import Offered, take_in, unpack
from plaqueview.studies.kept_headers import keep_headers
from plaqueview.studies.nifti_files import receive_nifti
from plaqueview.studies.protocols import keep_quality
from plaqueview.studies.queue import assign, release_abandoned, set_under_double_reading
from plaqueview.studies.receiving import receive, receive_all
from plaqueview.studies.removal import Removed, forget_removed, remove
from plaqueview.studies.settling import enqueue_overdue, fingerprint_of, override_flair, settle, settle_soon
from plaqueview.studies.summaries import (
    AnnotationSummary,
    JobSummary,
    ModelReference,
    RegionSummary,
    announce_study,
    follow_job,
    record_job,
    record_result,
    record_teaching,
    refresh_summary,
    set_state,
)
from plaqueview.studies.upload_names import forget_names_beside, obstacles_of_uploads
from plaqueview.studies.uploads import UploadPart, create_upload, forget_waiting, process_upload
from plaqueview.studies.volumes import (
    Scanner,
    SeriesSlices,
    count_voxels,
    load_first_header,
    load_headers,
    load_slices,
    load_volume,
    read_scanner,
    read_slices,
)

__all__ = [
    "AnnotationSummary",
    "Arrival",
    "JobSummary",
    "ModelReference",
    "Offered",
    "Received",
    "RegionSummary",
    "Removed",
    "Scanner",
    "SeriesSlices",
    "Source",
    "UploadPart",
    "announce_study",
    "assign",
    "count_voxels",
    "create_upload",
    "enqueue_overdue",
    "fingerprint_of",
    "follow_job",
    "forget_names_beside",
    "forget_removed",
    "forget_waiting",
    "keep_headers",
    "keep_quality",
    "load_first_header",
    "load_headers",
    "load_slices",
    "load_volume",
    "obstacles_of_uploads",
    "override_flair",
    "process_upload",
    "read_scanner",
    "read_slices",
    "receive",
    "receive_all",
    "receive_nifti",
    "record_job",
    "record_result",
    "record_teaching",
    "refresh_summary",
    "release_abandoned",
    "remove",
    "set_state",
    "set_under_double_reading",
    "settle",
    "settle_soon",
    "take_in",
    "unpack",
]
