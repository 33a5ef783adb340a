"""What peers were asked to keep for good, and what they said: rows that the listener and the outbox share."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from pydicom.uid import generate_uid

from plaqueview.pacs import peers
from plaqueview.pacs.commitment import CommitmentReport
from plaqueview.pacs.models import Commitment, CommitmentState, RemoteNode
from plaqueview.pacs.peer import Outgoing, words_of_status


def ask(*, node: RemoteNode, instances: Sequence[Outgoing]) -> Commitment:
    """The node's peer was asked to keep the instances; its answer may stand in the row already, or come later.

    The row is there before the peer is asked, which may answer to our listener sooner than to us.

    Raises: PeerError.
    """
    row = Commitment(
        node=node,
        # 2.25 and 122 random bits: nobody who was not asked can answer. Source: PS3.5 B.2.
        transaction_uid=generate_uid(prefix=None),
        sop_instance_uids=[one.sop_instance_uid for one in instances],
    )
    row.save(force_insert=True)
    classes = {one.sop_instance_uid: one.sop_class_uid for one in instances}
    report = peers.ask_commitment(node, row.transaction_uid, classes)
    if report is not None:
        hear(report, ae_title=node.ae_title)
    row.refresh_from_db()
    return row


@transaction.atomic
def hear(report: CommitmentReport, *, ae_title: str) -> bool:
    """The row of the transaction has its answer; False when the peer of the title was not asked so.

    A first answer stands: a peer that was not told that it was heard says it again.
    """
    rows = Commitment.objects.select_for_update(of=("self",)).select_related("node")
    row = rows.filter(transaction_uid=report.transaction_uid).first()
    if row is None or row.node.ae_title != ae_title:
        return False
    if row.state == CommitmentState.ASKED:
        row.state, row.answer = _verdict(row, report)
        row.answered_at = timezone.now()
        row.save()
    return True


def _verdict(row: Commitment, report: CommitmentReport) -> tuple[CommitmentState, str]:
    """Committed is what was asked for and nothing less; an instance that the report passes over is not kept."""
    total = len(row.sop_instance_uids)
    missing = {uid for uid in row.sop_instance_uids if uid not in report.kept or uid in report.failed}
    if not missing:
        return CommitmentState.COMMITTED, f"the peer committed itself to keep {total} of {total} instances"
    said = sorted({words_of_status(report.failed[uid][1]) for uid in missing if uid in report.failed})
    reasons = f": {', '.join(said)}" if said else ", and says nothing of the others"
    answer = f"the peer committed itself to keep {total - len(missing)} of {total} instances{reasons}"
    return CommitmentState.REFUSED, answer[:500]
