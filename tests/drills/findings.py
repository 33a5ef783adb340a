"""What a department holds after a drill, read from its own tables and files."""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from plaqueview.audit.services import verify_chain
from plaqueview.core.storage import stored_path
from plaqueview.inference.models import InferenceJob, JobState
from plaqueview.studies.models import Instance, Study, StudyState
from tests.drills.traffic import Told

ENDED = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


@dataclass(frozen=True)
class Findings:
    """`lost` were accepted and are not there whole; `doubled` are there more than once."""

    accepted: int
    lost: int
    doubled: int
    damaged: int
    jobs: dict[str, int]
    audit_problems: int

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.doubled or self.damaged or self.audit_problems) and set(self.jobs) <= ENDED


def find(told: Told) -> Findings:
    """Every accepted instance is looked for in the table, and its file is read."""
    connection.close()
    rows = Instance.objects.values_list("sop_instance_uid", "storage_key", "sha256")
    kept = Counter(uid for uid, _, _ in rows)
    damaged = sum(digest_of(key) != sha256 for _, key, sha256 in rows)
    return Findings(
        accepted=len(told.accepted),
        lost=sum(uid not in kept for uid in told.accepted),
        doubled=sum(count > 1 for count in kept.values()),
        damaged=damaged,
        jobs=dict(Counter(InferenceJob.objects.values_list("state", flat=True))),
        audit_problems=len(verify_chain().problems),
    )


def digest_of(key: str) -> str:
    path = stored_path(key)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def are_settled(told: Told) -> bool:
    """Every study that was accepted whole has been read by the network, or its job has failed by name."""
    connection.close()
    states = dict(Study.objects.values_list("study_instance_uid", "state"))
    return all(states.get(uid) in {StudyState.READY, StudyState.FAILED} for uid in told.studies)


def is_read(study_uid: str) -> bool:
    connection.close()
    return Study.objects.filter(study_instance_uid=study_uid, state=StudyState.READY).exists()


def running_job() -> InferenceJob | None:
    connection.close()
    return InferenceJob.objects.filter(state=JobState.RUNNING, stage="network").first()


def has_job(study_uid: str, states: Collection[str]) -> bool:
    """A job of the study is in one of the states."""
    connection.close()
    return InferenceJob.objects.filter(study__study_instance_uid=study_uid, state__in=states).exists()
