"""Remote DICOM nodes: to whom results go, and how they are reached."""

from typing import Self

from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import Site, User
from plaqueview.core.models import Record


class NodeKind(models.TextChoices):
    DIMSE = "dimse", "C-STORE and C-ECHO"
    DICOMWEB = "dicomweb", "STOW-RS and QIDO-RS"


class SentDocument(models.TextChoices):
    """What of an approved version a node is sent."""

    SEGMENTATION = "seg", "DICOM Segmentation"
    REPORT = "sr", "structured report"
    CAPTURES = "sc", "burned-in slices, for a PACS that knows no segmentation"
    PAGES = "pdf", "report on pages"


def usual_documents() -> list[str]:
    return [SentDocument.SEGMENTATION.value, SentDocument.REPORT.value]


# What names a study of the head, in the words of several languages; parted by commas.
HEAD_WORDS = "head, brain, cran, cereb, neuro, kopf, schädel, hirn, cabeza, tete, testa, glava"


class RemoteNodeQuerySet(models.QuerySet["RemoteNode"]):
    def visible_to(self, user: User) -> Self:
        """The nodes of the user's sites."""
        return self.filter(site__in=user.sites.all())


class RemoteNode(Record):
    """A peer of one site. Secrets are kept sealed (`core.sealing`) and never leave the house but to the peer.

    `sends_approved_since` is when the rule was made to send each approved version by itself, None without the rule;
    versions that were approved before are not sent. `fetches_priors_since` likewise: for each study that came since,
    the newest `prior_count` MR studies of the patient are fetched from here, of the last `prior_years` (0: of any age),
    whose description has one of `prior_words` (none: any) or is empty. Certificates are PEM; no `ca_certificates` means
    those that the machine trusts. `echo_problem` is empty when the last echo was answered. With `asks_commitment` what
    is sent counts as delivered once the peer has committed itself to keep it. With `deidentifies` nothing of a patient
    is kept of what the node sends here: by C-STORE under its title, by STOW-RS from the account `sender`.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="nodes")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=NodeKind)
    ae_title = models.CharField(max_length=16, blank=True)
    host = models.CharField(max_length=253, blank=True)
    port = models.PositiveIntegerField(null=True)
    url = models.CharField(max_length=500, blank=True)
    calling_ae_title = models.CharField(max_length=16, blank=True)
    uses_tls = models.BooleanField(default=False)
    ca_certificates = models.TextField(blank=True)
    client_certificate = models.TextField(blank=True)
    client_key_sealed = models.TextField(blank=True)
    username = models.CharField(max_length=150, blank=True)
    password_sealed = models.TextField(blank=True)
    token_sealed = models.TextField(blank=True)
    documents = models.JSONField(default=usual_documents)
    prior_count = models.PositiveSmallIntegerField(default=0)
    prior_years = models.PositiveSmallIntegerField(default=0)
    prior_words = models.CharField(max_length=300, blank=True, default=HEAD_WORDS)
    fetches_priors_since = models.DateTimeField(null=True)
    sends_approved_since = models.DateTimeField(null=True)
    asks_commitment = models.BooleanField(default=False, db_default=False)
    deidentifies = models.BooleanField(default=False, db_default=False)
    sender = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    is_active = models.BooleanField(default=True)
    echoed_at = models.DateTimeField(null=True)
    echo_problem = models.CharField(max_length=30, blank=True)
    echo_answer = models.CharField(max_length=500, blank=True)

    objects = RemoteNodeQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="node_name_once_per_site"),
            models.CheckConstraint(
                condition=(Q(kind=NodeKind.DIMSE, port__gte=1, port__lte=65535, url="") & ~Q(ae_title="") & ~Q(host=""))
                | (Q(kind=NodeKind.DICOMWEB, ae_title="", host="", port__isnull=True) & ~Q(url="")),
                name="node_has_the_address_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(asks_commitment=False) | Q(kind=NodeKind.DIMSE), name="node_commits_by_dimse"
            ),
            models.CheckConstraint(
                condition=Q(deidentifies=False) | Q(kind=NodeKind.DIMSE) | Q(sender__isnull=False),
                name="node_is_known_when_it_sends",
            ),
        ]

    @property
    def address(self) -> str:
        """Where the node is, for people."""
        return self.url or f"{self.ae_title} at {self.host}, port {self.port}"


class CommitmentState(models.TextChoices):
    ASKED = "asked", "the peer has not answered yet"
    COMMITTED = "committed", "the peer keeps every instance"
    REFUSED = "refused", "the peer does not keep every instance"


class Commitment(Record):
    """Instances that a peer was asked to keep for good, and what it said. Source: PS3.4 J."""

    node = models.ForeignKey(RemoteNode, on_delete=models.CASCADE, related_name="commitments")
    transaction_uid = models.CharField(max_length=64, unique=True)
    sop_instance_uids = models.JSONField()
    state = models.CharField(max_length=20, choices=CommitmentState, default=CommitmentState.ASKED)
    answer = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CommitmentState.values), name="commitment_state_is_known"),
        ]
