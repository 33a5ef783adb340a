"""The rows of the instances that arrived of one study, written in the caller's transaction."""

from collections.abc import Sequence
from uuid import UUID

from plaqueview.accounts.models import Site
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core import clock
from plaqueview.core.storage import StoredFile, store_files, stored_path
from plaqueview.patients import services as patients
from plaqueview.patients.finding import repeated_for_search
from plaqueview.studies.arrivals import Arrival, Received, Staged, refused
from plaqueview.studies.deidentifying import Withheld, keep_report
from plaqueview.studies.instance_file import Refusal
from plaqueview.studies.instance_header import ReceivedInstance, as_json
from plaqueview.studies.models import FileOutcome, Instance, Series, Study, StudyState
from plaqueview.studies.same_content import is_same_content
from plaqueview.studies.summaries import announce_study

# What an arriving instance has to know of its study, and may change.
KEPT_UP_TO_DATE = (
    "site",
    "study_instance_uid",
    "patient__patient_id",
    "patient__issuer_of_patient_id",
    "flair_series",
    "state",
    "state_reason",
    "instance_count",
)


def keep_study(staged: Sequence[Staged], arrival: Arrival, stored: dict[str, StoredFile]) -> list[Received]:
    """What became of each instance of one study, whose row is locked until the transaction ends."""
    known = known_instances([one.instance for one in staged], arrival.site)
    study = _locked_study(staged[0].instance.study_instance_uid, arrival.site)
    is_new = study is None
    if study is None:
        first = next((one.instance for one in staged if one.instance.sop_instance_uid not in known), None)
        if first is None:  # each is known from another study, so that this one would stay empty
            return [_again(one, known[one.instance.sop_instance_uid], stored) for one in staged]
        study = _new_study(first, arrival.site)
    keeper = _Keeper(study, arrival, known)
    received = [keeper.keep(one, stored) for one in staged]
    keeper.write(is_new_study=is_new)
    return received


# Only what is looked at is read here: for a sender of single instances, building these queries is a third of the work.
def known_instances(instances: Sequence[ReceivedInstance], site: Site) -> dict[str, Instance]:
    uids = {instance.sop_instance_uid for instance in instances}
    found = Instance.objects.filter(site=site, sop_instance_uid__in=uids).order_by()
    return {one.sop_instance_uid: one for one in found.only("sop_instance_uid", "sha256", "storage_key", "study_id")}


def _locked_study(study_instance_uid: str, site: Site) -> Study | None:
    found = Study.objects.select_for_update(of=("self",)).select_related("patient").only(*KEPT_UP_TO_DATE)
    return found.filter(site=site, study_instance_uid=study_instance_uid).order_by().first()


def _new_study(first: ReceivedInstance, site: Site) -> Study:
    uid = first.study_instance_uid
    patient = patients.find_or_create(site=site, identity=first.patient, study_instance_uid=uid)
    header = first.study()
    study = Study(
        site=site,
        patient=patient,
        study_instance_uid=uid,
        study_date=header.study_date,
        study_time=header.study_time,
        accession_number=header.accession_number,
        study_description=header.study_description,
        institution_name=header.institution_name,
        **repeated_for_search(patient, header.accession_number, header.study_description),
    )
    study.save(force_insert=True)
    return study


class _Keeper:
    """One study's share of a chunk: what is already there, and the rows to be written."""

    def __init__(self, study: Study, arrival: Arrival, known: dict[str, Instance]) -> None:
        self.study = study
        self.arrival = arrival
        self.known = known
        kept = study.series.order_by().only("study", "series_instance_uid", "instance_count")
        self.series = {one.series_instance_uid: one for one in kept}
        self.new_series: list[Series] = []
        self.new_instances: list[Instance] = []
        self.withheld: list[Withheld] = []

    def keep(self, staged: Staged, stored: dict[str, StoredFile]) -> Received:
        instance = staged.instance
        if not patients.is_same_patient(self.study.patient, instance.patient):
            reason = f"study {self.study.study_instance_uid} is already kept under another patient ID or issuer"
            return refused(instance, Refusal.WRONG_PATIENT, reason)
        known = self.known.get(instance.sop_instance_uid)
        if known is not None:
            return _again(staged, known, stored)
        row = self._row(instance, _stored(staged, stored))
        self.known[row.sop_instance_uid] = row
        self.new_instances.append(row)
        if staged.withheld is not None:
            self.withheld.append(staged.withheld)
        return _received(FileOutcome.ACCEPTED, "", instance, row)

    def _row(self, instance: ReceivedInstance, stored: StoredFile) -> Instance:
        attributes: dict[str, object] = {}
        if instance.slices:
            attributes["slices"] = [as_json(one) for one in instance.slices]
            attributes["window"] = instance.window()
        if instance.frame_bytes:
            attributes["frame_bytes"] = instance.frame_bytes
        return Instance(
            site=self.arrival.site,
            study=self.study,
            series=self._series(instance),
            sop_instance_uid=instance.sop_instance_uid,
            sop_class_uid=instance.sop_class_uid,
            transfer_syntax_uid=instance.file.transfer_syntax_uid[:64],
            instance_number=instance.instance_number,
            number_of_frames=instance.number_of_frames,
            rows=instance.rows,
            columns=instance.columns,
            attributes=attributes,
            storage_key=stored.key,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            pixel_offset=instance.file.pixel_offset,
            pixel_bytes=instance.file.pixel_bytes,
        )

    def _series(self, instance: ReceivedInstance) -> Series:
        series = self.series.get(instance.series_instance_uid)
        if series is None:
            header = instance.series()
            series = Series(
                study=self.study,
                series_instance_uid=instance.series_instance_uid,
                series_number=header.series_number,
                modality=header.modality,
                series_description=header.series_description,
                attributes=as_json(header),
                rows=instance.rows,
                columns=instance.columns,
            )
            self.series[instance.series_instance_uid] = series
            self.new_series.append(series)
        series.instance_count += 1
        return series

    def write(self, *, is_new_study: bool) -> None:
        """Rows, counts, state, audit and announcement of what was kept; nothing when all of it was known."""
        if not self.new_instances:
            return
        Series.objects.bulk_create(self.new_series)
        Instance.objects.bulk_create(self.new_instances)
        new, touched = set(self.new_series), {one.series for one in self.new_instances}
        for series in touched - new:
            series.save(update_fields=["instance_count", "modified"])
        was = self.study.state
        self._update_study()
        if self.withheld and self.arrival.deidentified_node_id is not None:
            keep_report(self.study, self.withheld, node_id=self.arrival.deidentified_node_id)
        if is_new_study or self.new_series:
            self._audit()
        if is_new_study or was != self.study.state:
            announce_study(self.study)

    def _update_study(self) -> None:
        study = self.study
        study.instance_count += len(self.new_instances)
        study.series_count = len(self.series)
        study.last_received_at = clock.now()
        study.is_settled = False
        if state_after_arrival(study, {one.series_id for one in self.new_instances}) != study.state:
            study.state, study.state_reason = StudyState.RECEIVING, ""
        study.save(
            update_fields=[
                "instance_count",
                "series_count",
                "last_received_at",
                "is_settled",
                "state",
                "state_reason",
                "modified",
            ]
        )

    def _audit(self) -> None:
        node_id = self.arrival.deidentified_node_id
        record(
            EventKind.STUDY_RECEIVED,
            actor=self.arrival.actor,
            object_type="study",
            object_id=self.study.pk,
            site_id=self.arrival.site.pk,
            details={
                "source": str(self.arrival.source),
                "instances": len(self.new_instances),
                "series": len(self.new_series),
                **({"deidentified_node": str(node_id)} if node_id else {}),
            },
        )


def state_after_arrival(study: Study, series_ids: set[UUID]) -> str:
    """The state once instances of these series arrived: `receiving` when they can change what the network looks at.

    A study that a reader has begun to review keeps its state, and so does one that only gained another series.
    """
    match StudyState(study.state):
        case StudyState.RECEIVING | StudyState.INCOMPLETE | StudyState.NO_FLAIR:
            return StudyState.RECEIVING
        case StudyState.IN_REVIEW | StudyState.APPROVED:
            return study.state
        case StudyState.QUEUED | StudyState.RUNNING | StudyState.READY | StudyState.FAILED:
            return StudyState.RECEIVING if study.flair_series_id in series_ids else study.state


def _again(staged: Staged, known: Instance, stored: dict[str, StoredFile]) -> Received:
    instance = staged.instance
    was_stored = stored.get(staged.sha256)
    if known.sha256 == staged.sha256:
        return _received(FileOutcome.DUPLICATE, "the same bytes are already kept", instance, known)
    path = stored_path(was_stored.key) if was_stored else instance.path
    if is_same_content(path, stored_path(known.storage_key)):
        reason = "the same content is already kept, with another file header or transfer syntax"
        return _received(FileOutcome.DUPLICATE, reason, instance, known)
    reason = f"SOP instance {instance.sop_instance_uid} is already kept with other content, which stays as it is"
    return _received(FileOutcome.CONFLICT, reason, instance, known, Refusal.CONFLICT)


def _received(
    outcome: FileOutcome,
    reason: str,
    instance: ReceivedInstance,
    row: Instance,
    refusal: Refusal | None = None,
) -> Received:
    return Received(
        outcome,
        reason,
        refusal,
        row.study_id,
        row.pk,
        instance.study_instance_uid,
        instance.series_instance_uid,
        instance.sop_class_uid,
        instance.sop_instance_uid,
    )


def _stored(staged: Staged, stored: dict[str, StoredFile]) -> StoredFile:
    """For the rare file that was thought to be known and is new under the lock."""
    if staged.sha256 not in stored:
        stored[staged.sha256] = store_files([staged.instance.path], kind="dicom", sha256s=[staged.sha256])[0]
    return stored[staged.sha256]
