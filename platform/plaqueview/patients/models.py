"""Patient: whose studies these are, and who may see them."""

from datetime import date

from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import Site, User
from plaqueview.core.identifier_keys import UnopenedText, require_opened, ring, sealed_length
from plaqueview.core.models import Record
from plaqueview.core.sealed_fields import InForm, SealedCharField, SealedDateField, SealedKeyField


def of_sites(user: User) -> Q:
    """Rows of the user's sites. A single site is compared, not looked up in a list: an index then gives the order."""
    site_ids = list(user.site_ids())
    return Q(site=site_ids[0]) if len(site_ids) == 1 else Q(site__in=site_ids)


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: User) -> "PatientQuerySet":
        """The patients of the user's sites."""
        return self.filter(of_sites(user))


class Patient(InForm, Record):
    """A patient of one site, under the identifier that one issuer gave.

    Demographics are those of the first instance received. An instance may come without a patient ID; its study then
    has a patient of its own, so that two unidentified people never become one. What names the patient is sealed where
    the installation has a key for it (docs/decisions/0046-sealed-identifiers.md).
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="patients")
    issuer_of_patient_id = models.CharField(max_length=64, blank=True)
    patient_id = SealedKeyField(max_length=sealed_length(64), blank=True)
    unidentified_study_instance_uid = models.CharField(max_length=64, blank=True)
    name = SealedCharField(max_length=sealed_length(324), blank=True)
    clear_birth_date = models.DateField(null=True, db_column="birth_date")
    sealed_birth_date = SealedDateField(max_length=sealed_length(10), null=True)
    sex = models.CharField(max_length=16, blank=True)
    search_text = SealedCharField(
        max_length=sealed_length(500), blank=True, help_text="Name and identifier, case-folded."
    )
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
        indexes = [
            models.Index(fields=["site", "name", "id"], name="patient_by_name"),
            models.Index(fields=["site", "patient_id"], name="patient_by_patient_id"),
            # What is looked for in the middle of a text is read in an index that has the text as well, and no name
            # beside it: sealed, both together are longer than an index takes.
            models.Index(fields=["site", "id"], include=["search_text"], name="patient_search"),
        ]
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

    @property
    def birth_date(self) -> date | None:
        """None also where it is sealed under a key that is not here; the name says so then."""
        sealed = self.sealed_birth_date
        return None if isinstance(sealed, UnopenedText) else sealed or self.clear_birth_date

    @birth_date.setter
    def birth_date(self, day: date | None) -> None:
        for column, value in self.born_on(day).items():
            setattr(self, column, value)

    @staticmethod
    def born_on(day: date | None) -> dict[str, date | None]:
        """The birth date as it is written: a column of days holds no sealed text, so one of two columns is empty."""
        return {
            "clear_birth_date": None if ring().seals else day,
            "sealed_birth_date": day if ring().seals else None,
        }

    @classmethod
    def out_of_form(cls) -> Q:
        return Q(clear_birth_date__isnull=False) if ring().seals else Q()

    def bring_into_form(self) -> list[str]:
        if not isinstance(self.sealed_birth_date, UnopenedText):
            self.birth_date = self.birth_date
        return ["clear_birth_date", "sealed_birth_date"]

    @property
    def is_opened(self) -> bool:
        return not any(isinstance(one, UnopenedText) for one in (self.patient_id, self.name, self.sealed_birth_date))

    def require_opened(self) -> None:
        """Raises: UnavailableError when what names the patient is sealed under a key that is not here."""
        require_opened(self.patient_id, self.name, self.sealed_birth_date)
