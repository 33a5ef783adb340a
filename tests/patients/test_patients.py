"""Who is one patient and who is not, and how names are found."""

import pytest
from hypothesis import given, strategies

from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from plaqueview.patients.models import Patient
from plaqueview.patients.search import folded
from plaqueview.patients.services import PatientIdentity, find_or_create, is_same_patient
from tests.accounts.people import make_user


def identity(patient_id: str = "P1", issuer: str = "", name: str = "Novak^Ana") -> PatientIdentity:
    return PatientIdentity(patient_id, issuer, name, None, "F")


@pytest.mark.django_db
def test_the_first_demographics_stay():
    site = create_site(name="Ljubljana")

    first = find_or_create(site=site, identity=identity(), study_instance_uid="1.2")
    second = find_or_create(site=site, identity=identity(name="Kos^Ana"), study_instance_uid="1.3")

    assert (first.pk, second.name) == (second.pk, "Novak^Ana")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        (identity(), identity(), 1),
        (identity(), identity("P2"), 2),
        (identity(), identity(issuer="North"), 2),
        (identity(""), identity(""), 2),
        (identity("", "North"), identity("", "North"), 2),
    ],
)
def test_who_is_one_patient(one, other, count):
    site = create_site(name="Ljubljana")

    find_or_create(site=site, identity=one, study_instance_uid="1.2")
    find_or_create(site=site, identity=other, study_instance_uid="1.3")

    assert Patient.objects.count() == count


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (identity(name="Kos^Ana"), True),
        (identity("P2"), False),
        (identity(issuer="North"), False),
        (identity(""), False),
    ],
)
def test_which_identity_is_the_patients(other, is_same):
    patient = find_or_create(site=create_site(name="Ljubljana"), identity=identity(), study_instance_uid="1.2")

    assert is_same_patient(patient, other) is is_same


@pytest.mark.django_db
def test_patients_are_seen_within_their_site_only():
    ljubljana, maribor = create_site(name="Ljubljana"), create_site(name="Maribor")
    for site in (ljubljana, maribor):
        find_or_create(site=site, identity=identity(), study_instance_uid="1.2")
    insider, nobody = make_user(Role.NEUROLOGIST, site=maribor), make_user(Role.ADMIN)
    nobody.sites.clear()

    assert [patient.site for patient in Patient.objects.visible_to(insider)] == [maribor]
    assert list(Patient.objects.visible_to(nobody)) == []
    nobody.sites.set([ljubljana, maribor])
    assert Patient.objects.visible_to(nobody).count() == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Müller^Jürgen", "muller jurgen"),
        ("ŽNIDARŠIČ^^Špela", "znidarsic spela"),
        ("Yamada^Tarou=山田^太郎", "yamada tarou 山田 太郎"),
        ("  A\t B\\C ", "a b c"),
        ("STRASSE straße", "strasse strasse"),
    ],
)
def test_folding(text, expected):
    assert folded(text) == expected


@given(strategies.text())
def test_folding_twice_is_folding_once(text):
    assert folded(folded(text)) == folded(text)
