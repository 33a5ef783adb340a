"""Fills a department's database with the studies of many years, each a copy of one that was really received and read.

PostgreSQL makes the rows itself, from numbers: study 17 has the same patient, site, day and state in every run. What a
row says comes from its pattern, with the ids, dates, names and counts of its own; foreign keys are not asked, for every
row that is pointed to is made as well. The files behind the rows are those of the pattern.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from plaqueview.accounts.models import Site, User
from plaqueview.annotations.models import Annotation, Lesion, ReviewStep
from plaqueview.audit.models import AuditEvent, ChainHead
from plaqueview.inference.models import InferenceJob
from plaqueview.monitoring.models import StudyEdit, StudyMeasures, StudyTeaching
from plaqueview.patients.models import Patient
from plaqueview.studies.models import Instance, Series, Study
from tests.bench.support_archive_words import (
    ACCESSION,
    COUNTS,
    DAY,
    DESCRIPTION,
    FOLDED_NAME,
    IDENTIFIER,
    NAME,
    PATIENT,
    PATIENT_NUMBER,
    RECEIVED,
    SCANNER,
    STUDY,
    one_of,
    uid,
    uuid,
)

COPIED = (
    Patient,
    Study,
    Series,
    Instance,
    InferenceJob,
    Annotation,
    Lesion,
    ReviewStep,
    StudyMeasures,
    StudyTeaching,
    StudyEdit,
)
CHUNK = 10_000  # studies: a statement makes at most as many rows
SERIES_AT_MOST, SLICES = 5, 15  # of the pattern; study n has 3 + n % 3 series: 60 instances on average


@dataclass(frozen=True)
class Kind:
    """Of every hundred studies, those from `first` to `last` stand so."""

    state: str
    first: int
    last: int
    pattern: str = "read"


# What a department's years look like: most are approved, some hundreds of a hundred thousand are in nobody's hands.
KINDS = (
    Kind("approved", 0, 61, "approved"),
    Kind("in_review", 62, 65, "approved"),
    Kind("ready", 66, 89),
    Kind("no_flair", 90, 93, "unread"),
    Kind("incomplete", 94, 96, "unread"),
    Kind("failed", 97, 99, "unread"),
)


@dataclass(frozen=True)
class Patterns:
    """Two studies of one kind, of which the second was approved; what differs between copies, as SQL over `n`."""

    read: Study
    approved: Study
    sites: Sequence[Site]
    readers: Sequence[User]

    def of(self, kind: Kind) -> Study:
        return self.approved if kind.pattern == "approved" else self.read


def fill(patterns: Patterns, *, first: int, last: int) -> None:
    """The studies `first` to `last` are there with all that hangs on them; both begin and end a patient's studies."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for model in COPIED:
            table = model._meta.db_table
            cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS pattern_{table} AS SELECT * FROM {table}")
        for pattern in (patterns.read, patterns.approved):
            content_of(pattern)  # while it is found by index
        with without_indexes(cursor, Instance):
            for at in range(first, last + 1, CHUNK):
                for statement in statements(patterns, at, min(at + CHUNK - 1, last)):
                    cursor.execute(statement)
        cursor.execute("RESET ALL")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


@contextmanager
def without_indexes(cursor: Any, model: type[Model]) -> Iterator[None]:  # Any: Django's cursor
    """Within, the table has none; afterwards they are made anew, in a tenth of the time that each row would take."""
    table = model._meta.db_table
    constraints = (
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname), "
        "format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) "
        f"FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('p', 'u')"
    )
    others = (
        "SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid) FROM pg_index "
        f"WHERE indrelid = '{table}'::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid "
        "AND contype IN ('p', 'u'))"
    )
    cursor.execute(f"{constraints} UNION ALL {others}")
    pairs = cursor.fetchall()
    for drop, _ in pairs:
        cursor.execute(drop)
    yield
    for _, make in pairs:
        cursor.execute(make)


def statements(patterns: Patterns, first: int, last: int) -> Iterator[str]:
    yield patients(patterns, first, last)
    for kind in KINDS:
        among = f"n % 100 BETWEEN {kind.first} AND {kind.last}"
        numbers = f"(SELECT n FROM generate_series({first}, {last}) AS n WHERE {among}) AS numbers"
        yield from of_kind(patterns, kind, numbers)
    yield from events(patterns, first, last)


def of_kind(patterns: Patterns, kind: Kind, numbers: str) -> Iterator[str]:
    pattern = patterns.of(kind)
    yield copied(Study, pattern.pk, numbers, {**of_study(patterns), **of_state(kind, pattern)})
    for k, (series, instances) in enumerate(content_of(pattern)):
        some = f"{numbers} WHERE n % 3 >= {k - 2}" if k > 2 else numbers
        yield copied(Series, series, some, of_series(k))
        for i, instance in enumerate(instances):
            yield copied(Instance, instance, some, of_instance(patterns, k, i))
    if kind.pattern != "unread":
        yield from readings(patterns, kind, pattern, numbers)


@cache
def content_of(pattern: Study) -> Sequence[tuple[UUID, Sequence[UUID]]]:
    """Its series, the FLAIR first, each with its instances."""
    return [
        (one.pk, list(one.instances.order_by("instance_number").values_list("pk", flat=True)))
        for one in pattern.series.order_by("series_number")
    ]


def readings(patterns: Patterns, kind: Kind, pattern: Study, numbers: str) -> Iterator[str]:
    """Its job, its versions with their lesions and review, and what was measured."""
    versions = list(Annotation.objects.filter(study=pattern).order_by("version"))
    for job in InferenceJob.objects.filter(study=pattern):
        yield copied(InferenceJob, job.pk, numbers, of_job(pattern))
    for version in versions:
        known: dict[str, str] = {"id": uuid(f"version {version.version}"), **at(hours=version.version)}
        known |= {"study_id": STUDY, "series_id": uuid("series 0"), **COUNTS}
        if version.base_id:
            known |= {"base_id": uuid("version 1"), "author_id": one_of([reader.pk for reader in patterns.readers])}
            known |= {"state": "'approved'" if kind.state == "approved" else "'submitted'"}
        yield copied(Annotation, version.pk, numbers, known)
        for lesion in version.lesions.all():
            place = f"version {version.version} lesion {lesion.number}"
            yield copied(
                Lesion, lesion.pk, numbers, {"id": uuid(place), "annotation_id": uuid(f"version {version.version}")}
            )
        for step in version.review.all():
            if step.step == "submitted" or kind.state == "approved":
                own = {"id": uuid(f"step {step.step}"), "annotation_id": uuid(f"version {version.version}")}
                yield copied(ReviewStep, step.pk, numbers, own | at(hours=3))
    yield from measurements(kind, pattern, numbers)


def measurements(kind: Kind, pattern: Study, numbers: str) -> Iterator[str]:
    """What the clock keeps of each reading."""
    for measures in StudyMeasures.objects.filter(study=pattern):
        own = {"id": uuid("measures"), "study_id": STUDY, "result_id": uuid("version 1"), "read_at": RECEIVED}
        yield copied(StudyMeasures, measures.pk, numbers, own | SCANNER | at(hours=1))
    for teaching in StudyTeaching.objects.filter(study=pattern):
        own = {"id": uuid("teaching"), "study_id": STUDY, "result_id": uuid("version 1")}
        yield copied(StudyTeaching, teaching.pk, numbers, own | at(hours=1))
    if kind.state == "approved":
        for edit in StudyEdit.objects.filter(study=pattern):
            own = {"id": uuid("edit"), "study_id": STUDY, "result_id": uuid("version 1"), "final_id": uuid("version 2")}
            yield copied(StudyEdit, edit.pk, numbers, own | at(hours=3))


def copied(model: type[Model], pattern: UUID, numbers: str, own: Mapping[str, str]) -> str:
    """A row for every number, as the pattern's but for what is its own."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    table = model._meta.db_table
    unknown = set(own) - {field.column for field in fields}
    assert not unknown, f"{table} has no {unknown}"
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(own.get(str(field.column), f'pattern."{field.column}"') for field in fields)
    rows = f"(SELECT * FROM pattern_{table} WHERE id = '{pattern}') AS pattern"
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {rows}, {numbers}"


# --- what differs ---------------------------------------------------------------------------------------------------


def site_of(patterns: Patterns) -> str:
    """Three sites of 60, 25 and 15 of a hundred patients."""
    first, second, third = (site.pk for site in patterns.sites)
    number = f"{PATIENT_NUMBER} % 20"
    return f"(CASE WHEN {number} < 12 THEN '{first}' WHEN {number} < 17 THEN '{second}' ELSE '{third}' END)::uuid"


def at(*, hours: int) -> dict[str, str]:
    moment = f"{RECEIVED} + interval '{hours} hours'"
    return {"created": moment, "modified": moment}


def patients(patterns: Patterns, first: int, last: int) -> str:
    own = {
        "id": PATIENT,
        "site_id": site_of(patterns),
        "patient_id": IDENTIFIER,
        "name": NAME,
        "search_text": f"{FOLDED_NAME} || ' ' || {IDENTIFIER}",
        "birth_date": f"(date '1940-01-01' + {PATIENT_NUMBER} * 97 % 23000)",
        "sex": one_of(["F", "F", "M"], PATIENT_NUMBER),
        **at(hours=0),
    }
    numbers = f"(SELECT DISTINCT ON ({PATIENT_NUMBER}) n FROM generate_series({first}, {last}) AS n) AS numbers"
    return copied(Patient, patterns.read.patient_id, numbers, own) + " ON CONFLICT DO NOTHING"


def of_study(patterns: Patterns) -> dict[str, str]:
    return {
        "id": STUDY,
        "site_id": site_of(patterns),
        "patient_id": PATIENT,
        "patient_name": NAME,
        "study_instance_uid": uid("n"),
        "study_date": DAY,
        "study_time": "time '07:00' + n % 36000 * interval '1 second'",
        "accession_number": ACCESSION,
        "study_description": DESCRIPTION,
        "search_text": f"{FOLDED_NAME} || ' ' || {IDENTIFIER} || ' ' || lower({ACCESSION} || ' ' || {DESCRIPTION})",
        "received_at": RECEIVED,
        "last_received_at": RECEIVED,
        "instance_count": f"(3 + n % 3) * {SLICES}",
        "series_count": "3 + n % 3",
        "flair_series_id": uuid("series 0"),
        "teaching_score": "n % 997 / 997.0",
        "assigned_to_id": f"CASE WHEN n % 5 = 0 THEN {one_of([one.pk for one in patterns.readers], 'n / 5')} END",
        **at(hours=2),
        **COUNTS,
    }


def of_state(kind: Kind, pattern: Study) -> dict[str, str]:
    """Where the study stands, and its summaries about itself and not the pattern."""
    if kind.pattern == "unread":
        null = ("flair_series_id", "latest_job_id", "job_summary", "current_annotation_id", "annotation_summary")
        none = dict.fromkeys((*null, "teaching_score", *COUNTS), "NULL")
        return none | {"state": f"'{kind.state}'", "state_reason": "'no series is a FLAIR'", "counting_rule": "''"}
    version = len(Annotation.objects.filter(study=pattern))
    own = {
        "state": f"'{kind.state}'",
        "current_annotation_id": uuid(f"version {version}"),
        "latest_job_id": uuid("job"),
    }
    others = {pattern.pk: STUDY, pattern.flair_series_id: uuid("series 0"), pattern.latest_job_id: uuid("job")}
    for one in Annotation.objects.filter(study=pattern):
        others[one.pk] = uuid(f"version {one.version}")
    for column in ("annotation_summary", "job_summary"):
        text = f'pattern."{column}"::text'
        for old, new in others.items():
            text = f"replace({text}, '{old}', ({new})::text)"
        own[column] = f"({text})::jsonb"
    return own if kind.state == "approved" or kind.pattern == "read" else own | {"teaching_score": "NULL"}


def of_series(k: int) -> dict[str, str]:
    modality = "CASE WHEN n % 50 = 7 THEN 'CT' ELSE 'MR' END" if k == 2 else "'MR'"
    return {
        "id": uuid(f"series {k}"),
        "study_id": STUDY,
        "series_instance_uid": uid(f"n || '.{k}'"),
        "modality": modality,
        "instance_count": str(SLICES),
        **at(hours=0),
    }


def of_instance(patterns: Patterns, k: int, i: int) -> dict[str, str]:
    return {
        "id": uuid(f"instance {k}.{i}"),
        "site_id": site_of(patterns),
        "study_id": STUDY,
        "series_id": uuid(f"series {k}"),
        "sop_instance_uid": uid(f"n || '.{k}.{i}'"),
        "sha256": f"md5('{k}.{i} of ' || n) || md5(n || ' {k}.{i}')",
        **at(hours=0),
    }


def of_job(pattern: Study) -> dict[str, str]:
    return {
        "id": uuid("job"),
        "study_id": STUDY,
        "series_id": uuid("series 0"),
        "annotation_id": uuid("version 1"),
        "started_at": f"{RECEIVED} + interval '10 minutes'",
        "finished_at": f"{RECEIVED} + interval '10 minutes' + (3 + n % 40) * interval '1 second'",
        **at(hours=0),
    }


# Kinds of event by study, in their order.
EVENTS: Mapping[str, str] = {
    "study.received": "study",
    "study.settled": "study",
    "job.requested": "job",
    "job.succeeded": "job",
    "annotation.created": "version 1",
    "study.read": "study",
    "annotation.read": "version 1",
    "annotation.submitted": "version 2",
    "study.read ": "study",
    "annotation.approved": "version 2",
}


def events(patterns: Patterns, first: int, last: int) -> Iterator[str]:
    """Ten of each study; their hashes hold together nothing, for no page looks at that."""
    begun = ChainHead.objects.get(pk=1).sequence
    base = begun + 1
    count = (last - first + 1) * len(EVENTS)
    actors = {
        "study.received": None,
        "study.settled": None,
        "job.requested": None,
        "job.succeeded": None,
        "annotation.created": None,
    }
    table = AuditEvent._meta.db_table
    for place, (kind, what) in enumerate(EVENTS.items()):
        is_person = kind not in actors
        actor = one_of([one.pk for one in patterns.readers]) if is_person else "NULL::uuid"
        name = one_of([one.username for one in patterns.readers]) if is_person else "'system'"
        sequence = f"{base} + (n - {first}) * {len(EVENTS)} + {place}"
        yield (
            f"INSERT INTO {table} (sequence, occurred_at, kind, actor_id, actor_name, object_type, object_id, site_id, "
            f"details, previous_hash, hash) SELECT {sequence}, {RECEIVED} + interval '{place} minutes', "
            f"'{kind.strip()}', {actor}, {name}, '{what.split()[0].replace('version', 'annotation')}', "
            f"{uuid(what)}::text, {site_of(patterns)}, '{{}}', '', md5('event ' || {sequence}) || md5({sequence} || '')"
            f" FROM generate_series({first}, {last}) AS n"
        )
    yield f"UPDATE {ChainHead._meta.db_table} SET sequence = {begun + count}"
