"""Patient: whose studies these are, and who may see them."""

from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import Site, User
from plaqueview.core.models import Record


def of_sites(user: User) -> Q:
    """Rows of the user's sites. A single site is compared, not looked up in a list: an index then gives the order."""
    site_ids = list(user.site_ids())
    return Q(site=site_ids[0]) if len(site_ids) == 1 else Q(site__in=site_ids)


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: User) -> "PatientQuerySet":
        """The patients of the user's sites."""
        return self.filter(of_sites(user))


class Patient(Record):
    """A patient of one site, under the identifier that one issuer gave.

    Demographics are those of the first instance received. An instance may come without a patient ID; its study then
    has a patient of its own, so that two unidentified people never become one.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="patients")
    issuer_of_patient_id = models.CharField(max_length=64, blank=True)
    patient_id = models.CharField(max_length=64, blank=True)
    unidentified_study_instance_uid = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=324, blank=True)
    birth_date = models.DateField(null=True)
    sex = models.CharField(max_length=16, blank=True)
    search_text = models.CharField(max_length=500, blank=True, help_text="Name and identifier, case-folded.")
    hold_reason = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="Why nothing may be deleted; empty: no hold.",
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["site", "name", "id"], name="patient_by_name")]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "issuer_of_patient_id", "patient_id"],
                condition=~Q(patient_id=""),
                name="patient_once_per_site_and_issuer",
            ),
            models.UniqueConstraint(
                fields=["site", "unidentified_study_instance_uid"],
                condition=Q(patient_id=""),
                name="unidentified_patient_once_per_study",
            ),
        ]
