"""Storage commitment both ways: callers ask our listener, and a transfer ends when its peer keeps what it was sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from plaqueview.accounts.models import Site
from plaqueview.outbox import services
from plaqueview.outbox.models import KeptInstance, Transfer, TransferState
from plaqueview.pacs.commitment import (
    CommitmentReport,
    MalformedCommitmentError,
    event_of,
    report_of,
    request_of,
    requested,
)
from plaqueview.pacs.commitment_provider import looked_up
from plaqueview.pacs.listener import Listener
from plaqueview.pacs.models import Commitment, CommitmentState
from plaqueview.studies.models import Instance
from tests.inbox.archive import running_archive
from tests.outbox.post_office import with_approval, work
from tests.pacs.peers import needs_orthanc
from tests.studies.dicom_files import receive_series, series

MODEL, WELL_KNOWN = StorageCommitmentPushModel, StorageCommitmentPushModelInstance


@pytest.fixture
def post_office():
    return with_approval()


@pytest.fixture
def listen(settings) -> Iterator[Callable[[Site], int]]:
    """Starts the listener in this process, for callers of any title; its port."""
    settings.DICOM_CALLING_AE_TITLES = ["*"]
    running: list[Listener] = []

    def start(site: Site) -> int:
        running.append(Listener(site=site))
        return running[0].address[1]

    yield start
    for one in running:
        one.stop()


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not check() and time.monotonic() < deadline:
        time.sleep(0.05)
    return check()


def patient_entity(ae_title: str) -> AE:
    entity = AE(ae_title=ae_title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 120
    return entity


@pytest.mark.django_db
def test_what_is_kept_and_what_is_not_is_told_instance_by_instance():
    kept, lost = series(2)
    receive_series([kept, lost])
    site = Site.objects.get()
    row = Instance.objects.get(sop_instance_uid=lost.SOPInstanceUID)
    Instance.objects.filter(pk=row.pk).update(size_bytes=row.size_bytes + 1)
    wanted = {kept.SOPInstanceUID: MRImageStorage, lost.SOPInstanceUID: MRImageStorage, "1.2.3": MRImageStorage}

    report = looked_up(site, "1.2.9", wanted)
    other_class = looked_up(site, "1.2.7", {kept.SOPInstanceUID: "1.2.840.10008.5.1.4.1.1.7"})

    failed = {lost.SOPInstanceUID: (MRImageStorage, 0x0110), "1.2.3": (MRImageStorage, 0x0112)}
    assert report == CommitmentReport("1.2.9", {kept.SOPInstanceUID: MRImageStorage}, failed)
    assert (report.event_type, report_of(event_of(report))) == (2, report)
    assert [reason for _, reason in other_class.failed.values()] == [0x0119]
    with pytest.raises(MalformedCommitmentError):
        requested(request_of("1.2.6", {}))


@pytest.mark.django_db(transaction=True)
@pytest.mark.peers
@needs_orthanc
def test_orthanc_is_committed_to_and_commits_itself_by_associations_of_their_own(post_office, listen, tmp_path):
    site = post_office.office.desk.study.site
    port = listen(site)
    ours = series(3)
    receive_series(ours, site=site)
    with running_archive(tmp_path) as orthanc:
        orthanc.know_us(Port=port)
        node = post_office.node(ae_title="ORTHANC", port=orthanc.port, asks_commitment=True, documents=("seg", "sr"))
        transfer = post_office.asked(node)
        work(node)
        assert eventually(lambda: Commitment.objects.get().state != CommitmentState.ASKED)
        transfer.refresh_from_db()
        before = transfer.state
        settled = services.settle_asked(random=Random(0))

        named = [{"SOPClassUID": str(one.SOPClassUID), "SOPInstanceUID": str(one.SOPInstanceUID)} for one in ours]
        asked = orthanc.client.post("/modalities/plaqueview/storage-commitment", json={"DicomInstances": named}).json()
        assert eventually(lambda: orthanc.client.get(asked["Path"]).json()["Status"] != "Pending")
        told = orthanc.client.get(asked["Path"]).json()

    transfer.refresh_from_db()
    assert (before, settled, transfer.state) == (TransferState.COMMITTING, 1, TransferState.SENT)
    assert transfer.answer == "the peer committed itself to keep 2 of 2 instances"
    assert Commitment.objects.get().sop_instance_uids == transfer.sop_instance_uids
    assert (told["Status"], len(told["Success"]), told["Failures"]) == ("Success", 3, [])


@contextmanager
def keeper(report: Callable[[Dataset], Dataset | None]) -> Iterator[int]:
    """Stores what it is sent, and says of a request for commitment, by the same association, what `report` makes."""

    def act(event: evt.Event) -> tuple[int, None]:
        said = report(event.action_information)
        if said is not None:
            threading.Thread(target=tell, args=(event.assoc, said)).start()
        return 0x0000, None

    def tell(association, said: Dataset) -> None:
        association.send_n_event_report(said, 2 if "FailedSOPSequence" in said else 1, MODEL, WELL_KNOWN)

    entity = AE(ae_title="ARCHIVE")
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
    entity.add_supported_context(MODEL)
    handlers = [(evt.EVT_N_ACTION, act), (evt.EVT_C_STORE, lambda _event: 0x0000)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield server.server_address[1]
    finally:
        entity.shutdown()


def keeps_all(asked: Dataset) -> Dataset:
    return event_of(CommitmentReport(asked.TransactionUID, classes_in(asked)))


def passes_one_over(asked: Dataset) -> Dataset:
    classes = classes_in(asked)
    return event_of(CommitmentReport(asked.TransactionUID, dict(list(classes.items())[1:])))


def refuses_one(asked: Dataset) -> Dataset:
    (first, sop_class), *rest = classes_in(asked).items()
    return event_of(CommitmentReport(asked.TransactionUID, dict(rest), {first: (sop_class, 0x0110)}))


def says_nothing(_asked: Dataset) -> None:
    return None


def classes_in(asked: Dataset) -> dict[str, str]:
    return {one.ReferencedSOPInstanceUID: one.ReferencedSOPClassUID for one in asked.ReferencedSOPSequence}


@pytest.mark.django_db
def test_a_transfer_is_sent_only_when_the_peer_keeps_all_of_it(post_office, settings):
    settings.TRANSFER_COMMITMENT_S = 600
    said = {
        keeps_all: "the peer committed itself to keep 2 of 2 instances",
        passes_one_over: "the peer committed itself to keep 1 of 2 instances, and says nothing of the others",
        refuses_one: "the peer committed itself to keep 1 of 2 instances: status 0x0110 (processing failure)",
        says_nothing: "the peer did not say within 600 s whether it keeps the objects",
    }

    for report in said:
        with keeper(report) as port:
            node = post_office.node(report.__name__, port=port, asks_commitment=True)
            post_office.asked(node)
            work(node)
    stored = set(Transfer.objects.values_list("state", "sent_at", "attempts"))
    in_time = services.settle_asked(random=Random(0))
    silent = Transfer.objects.get(state=TransferState.COMMITTING)
    Transfer.objects.filter(pk=silent.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    late = services.settle_asked(random=Random(0))

    assert stored == {(TransferState.COMMITTING, None, 1)}
    assert (in_time, late) == (3, 1)
    ends = {one.node.name: (one.state, one.answer.split(": ", 1)) for one in Transfer.objects.with_references()}
    assert ends.pop("keeps_all") == (TransferState.SENT, [said[keeps_all]])
    del said[keeps_all]
    assert {name: (state, words[1]) for name, (state, words) in ends.items()} == {
        report.__name__: (TransferState.FAILED, answer) for report, answer in said.items()
    }
    assert KeptInstance.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_report_is_heard_from_the_peer_that_was_asked_and_once(post_office, listen):
    site = post_office.office.desk.study.site
    node = post_office.node(ae_title="ARCHIVE", port=9, asks_commitment=True)
    Commitment.objects.create(node=node, transaction_uid="2.25.7", sop_instance_uids=["1.2.3"])
    port = listen(site)

    def tell(calling: str, uid: str, kept: dict[str, str]) -> int:
        entity = patient_entity(calling)
        entity.add_requested_context(MODEL)
        association = entity.associate("127.0.0.1", port, ae_title="PLAQUEVIEW")
        status, _ = association.send_n_event_report(event_of(CommitmentReport(uid, kept)), 1, MODEL, WELL_KNOWN)
        association.release()
        return int(status.Status)

    whole = {"1.2.3": MRImageStorage}
    assert tell("SOMEBODY", "2.25.7", whole) == 0x0115
    assert tell("ARCHIVE", "2.25.8", whole) == 0x0115
    assert Commitment.objects.get().state == CommitmentState.ASKED
    assert [tell("ARCHIVE", "2.25.7", kept) for kept in (whole, {})] == [0x0000, 0x0000]
    assert Commitment.objects.get().state == CommitmentState.COMMITTED


@pytest.mark.django_db(transaction=True)
def test_a_caller_who_could_not_be_told_is_refused(post_office, listen):
    port = listen(post_office.office.desk.study.site)
    entity = patient_entity("SOMEBODY")
    entity.add_requested_context(MODEL)
    association = entity.associate("127.0.0.1", port, ae_title="PLAQUEVIEW")

    status, _ = association.send_n_action(request_of("2.25.7", {"1.2.3": MRImageStorage}), 1, MODEL, WELL_KNOWN)

    association.release()
    assert int(status.Status) == 0x0124
