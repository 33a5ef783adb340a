"""Real peers and real workers: dcmtk's storescp, Orthanc by both protocols, and SIGKILL."""

import time
from pathlib import Path

import pytest
from django.utils import timezone
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.celery import celery_app
from plaqueview.core.storage import stored_path
from plaqueview.launcher.broker import free_port
from plaqueview.outbox.models import KeptInstance, Transfer, TransferState
from tests.bench.support_orthanc import running_orthanc
from tests.inference.processes import kill, wait_until, worker
from tests.outbox.post_office import with_approval, work
from tests.pacs.peers import needs_dcmtk, needs_orthanc, silent_port, storescp

pytestmark = [pytest.mark.django_db, pytest.mark.peers]

ALL = ("seg", "sr", "sc")
# Short leases, so that a death is noticed while a test waits.
QUICK = {
    "PLAQUEVIEW_TRANSFER_LEASE_S": "2",
    "PLAQUEVIEW_TRANSFER_RETRY_S": "0.5",
    "PLAQUEVIEW_VISIBILITY_TIMEOUT_S": "3",
}


@pytest.fixture
def post_office():
    return with_approval()


def uids_in(folder: Path) -> set[str]:
    return {str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in folder.iterdir()}


def kept_uids() -> list[str]:
    return list(KeptInstance.objects.values_list("sop_instance_uid", flat=True))


@needs_dcmtk
def test_storescp_is_down_then_up_and_has_every_object_once(post_office, tmp_path):
    port = free_port()
    node = post_office.node(port=port, documents=ALL)
    transfer = post_office.asked(node)
    work(node)
    transfer.refresh_from_db()
    assert (transfer.state, transfer.attempts) == (TransferState.FAILED, 1)

    with storescp(tmp_path / "kept", port):
        Transfer.objects.update(next_attempt_at=timezone.now())
        work(node)
        post_office.resend(transfer)
        work(node)

    transfer.refresh_from_db()
    assert (transfer.state, transfer.answer) == (TransferState.SENT, "the peer stored 8 of 8 instances")
    assert uids_in(tmp_path / "kept") == set(kept_uids()) == set(transfer.sop_instance_uids)
    assert len(transfer.sop_instance_uids) == 8
    assert AuditEvent.objects.filter(kind=EventKind.TRANSFER_SENT).count() == 2


@needs_dcmtk
def test_storescp_gets_the_very_values_that_were_kept(post_office, tmp_path):
    port = free_port()
    node = post_office.node(port=port, documents=("seg",))
    with storescp(tmp_path / "kept", port, "+xi"):  # takes implicit VR only
        post_office.asked(node)
        work(node)

    (path,) = (tmp_path / "kept").iterdir()
    received, kept = dcmread(path), dcmread(stored_path(KeptInstance.objects.get().storage_key))
    assert received.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert received.PixelData == kept.PixelData
    del received.PixelData, kept.PixelData  # implicit VR knows these bytes as OW
    assert received.to_json_dict() == kept.to_json_dict()


@needs_dcmtk
def test_storescp_refuses_the_association(post_office, tmp_path):
    port = free_port()
    node = post_office.node(port=port)
    with storescp(tmp_path / "kept", port, "--refuse"):
        transfer = post_office.asked(node)
        work(node)

    transfer.refresh_from_db()
    assert transfer.state == TransferState.FAILED
    assert "the peer rejects the association" in transfer.answer
    assert list((tmp_path / "kept").iterdir()) == []


@needs_orthanc
def test_orthanc_has_the_same_objects_by_both_protocols(post_office, tmp_path):
    with running_orthanc(tmp_path) as orthanc:
        port = orthanc.get("/system").json()["DicomPort"]
        root = f"{str(orthanc.base_url).rstrip('/')}/dicom-web"
        nodes = [
            post_office.node(port=port, ae_title="ORTHANC", documents=ALL),
            post_office.node("Web", url=root, documents=ALL),
        ]
        transfers = [post_office.asked(node) for node in nodes]
        for node in nodes:
            work(node)
        instances = orthanc.get("/instances?expand").json()

    for transfer in transfers:
        transfer.refresh_from_db()
        assert (transfer.state, transfer.answer) == (TransferState.SENT, "the peer stored 8 of 8 instances")
    assert sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in instances) == sorted(kept_uids())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@needs_orthanc
def test_a_transfer_of_a_killed_worker_is_taken_up_and_sent(post_office, tmp_path):
    """The first worker hangs at a peer that says nothing; the next finds Orthanc."""
    log = tmp_path / "workers.log"

    def reached(state: TransferState) -> bool:
        transfer.refresh_from_db()
        return transfer.state == state

    with running_orthanc(tmp_path) as orthanc, silent_port() as port:
        node = post_office.node(url=f"http://127.0.0.1:{port}/dicom-web")
        transfer = post_office.asked(node)
        with worker("default", log=log, **QUICK) as first:
            wait_until(lambda: reached(TransferState.SENDING), what="the first attempt", child=first, log=log)
            wait_until(lambda: transfer_has_objects(transfer), what="the objects", child=first, log=log)
            kill(first)
        type(node).objects.update(url=f"{str(orthanc.base_url).rstrip('/')}/dicom-web")
        time.sleep(2.5)  # the lease of the dead
        celery_app.send_task("outbox.tend", queue="default")
        with worker("default", log=log, **QUICK) as second:
            wait_until(lambda: reached(TransferState.SENT), what="the transfer", child=second, log=log)
        instances = orthanc.get("/instances?expand").json()

    assert transfer.attempts == 2
    assert sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in instances) == sorted(kept_uids())
    assert AuditEvent.objects.filter(kind=EventKind.TRANSFER_SENT).count() == 1


def transfer_has_objects(transfer: Transfer) -> bool:
    transfer.refresh_from_db()
    return transfer.sop_instance_uids != []
