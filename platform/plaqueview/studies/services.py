"""Every write of studies, by the module that does it; the floors above call these and no others."""

from plaqueview.studies.summaries import (
    AnnotationSummary,
    JobSummary,
    ModelReference,
    announce_study,
    record_job,
    record_result,
    set_state,
)

__all__ = [
    "AnnotationSummary",
    "JobSummary",
    "ModelReference",
    "announce_study",
    "record_job",
    "record_result",
    "set_state",
]
