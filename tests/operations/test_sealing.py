"""With a key no table names a patient, everything answers as it did without one, and keys can be changed and lost."""

import base64
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import FieldError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from plaqueview.core.errors import UnavailableError
from plaqueview.core.identifier_keys import IdentifierKey, ring
from plaqueview.operations import doctor, sealing
from plaqueview.operations.database_copy import copy_database
from plaqueview.patients.models import Patient
from plaqueview.patients.pseudonyms import pseudonym_of_patient
from plaqueview.patients.services import PatientIdentity, find_or_create
from plaqueview.studies.arrivals import Arrival, Source
from plaqueview.studies.models import Study, Upload
from plaqueview.studies.receiving import receive_all
from plaqueview.studies.services import process_upload
from tests.accounts.people import make_user, token_client
from tests.api.scene import Place, make_place, world
from tests.reports.pages import text_of
from tests.reports.scenes import make_office
from tests.studies.dicom_files import encoded, incoming, ljubljana, receive_series, series
from tests.studies.taken_uploads import nifti_bytes

pytestmark = pytest.mark.django_db

FIRST, SECOND = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
FIRST_ID, SECOND_ID = IdentifierKey(FIRST).key_id, IdentifierKey(SECOND).key_id
# Whom `used` makes; their files are called after them.
NAMED = re.compile(r"novak|mojca|p-maribor|p-celje|1980-01-31|19800131", re.IGNORECASE)
SEALED = re.compile(r"[0-9a-f]{8}:[0-9A-Za-z+/=]{60,}")
PEOPLE = {"P1": "Novak^Ana", "P2": "Kos^Mojca", "P12": "Žagar^Ana", "X2": "Novakovič^Jure", "X9": ""}
QUESTIONS = (
    *(f"/api/v1/studies?search={words}" for words in ("novak", "OVA", "ana", "ana a-17", "p1", "zagar", "head", "no")),
    *(f"/api/v1/studies?ordering={field}" for field in ("patient_name", "state,-patient_name,study_date")),
    *(f"/api/v1/patients?ordering={field}" for field in ("name", "-name", "birth_date", "-birth_date", "patient_id")),
    *("/api/v1/patients", "/api/v1/patients?search=ana%20p1", "/api/v1/patients?page_size=2&page=2"),
    *(f"/dicom-web/studies?PatientName={name}" for name in ("novak^ana", "nov*", "*^?ojca", "nov")),
    *(f"/dicom-web/studies?PatientID={patient_id}" for patient_id in ("P1", "P*", "p1")),
    *(f"/dicom-web/studies?PatientBirthDate={days}" for days in ("19800131", "19700101-19751231", "-19601231")),
    "/dicom-web/studies?fuzzymatching=true&PatientName=ana%20nov",
    *(f"/dicom-web/series?SeriesDescription={name}" for name in ("t2%20flair%20tra", "t2*", "t1*")),
    "/dicom-web/series?PatientID=P?",
    "/dicom-web/instances?PatientName=kos*&limit=2",
)  # fmt: skip


@pytest.fixture
def keys(settings):
    """Every process was started again with these keys; at first there are none."""

    def use(*entries: str) -> None:
        settings.IDENTIFIER_KEYS = entries

    use()
    return use


def seal(*options: str) -> str:
    said = StringIO()
    call_command("seal_identifiers", *options, stdout=said)
    return said.getvalue()


def naming() -> list[str]:
    """The tables of which a row names a patient."""
    rows = {table: "\n".join(lines) for table, lines in world().items() if isinstance(lines, list) and table != "files"}
    return [table for table, text in rows.items() if NAMED.search(SEALED.sub("", text))]


def used(name: str) -> Place:
    """A place through whose every door a patient's name came in and was asked for."""
    place = make_place(name)
    neurologist, admin = (token_client(place.users[role]) for role in (Role.NEUROLOGIST, Role.ADMIN))
    files = {
        "Novak_Ana.nii": nifti_bytes(),
        "Novak_Ana_mask.nii": nifti_bytes(spacing_mm=(0.5, 0.8, 6.0)),
        "Kos_Mojca/IM1": encoded(series(1, patient_id="", PatientName="Kos^Mojca")[0]),
    }
    parts = [SimpleUploadedFile(path, content) for path, content in files.items()]
    answer = neurologist.post("/api/v1/uploads", {"file": parts}, headers={"Idempotency-Key": f"once-{name}"})
    process_upload(Upload.objects.get(pk=answer.json()["id"]).pk)
    node = place.parameters["node_id"]
    arrival = Arrival(place.site, Source.C_STORE, deidentified_node_id=node)
    receive_all(paths=[incoming(encoded(one)) for one in series(2, PatientName="Kos^Mojca")], arrival=arrival)
    for path in (*QUESTIONS[:4], f"/api/v1/patients/{place.parameters['patient_id']}"):
        assert neurologist.get(path).status_code == 200
    asked = {"patient_name": "Novak^Ana", "patient_id": f"P-{name}"}
    admin.post(f"/api/v1/nodes/{node}/search", asked, content_type="application/json")
    held = admin.put(f"/api/v1/patients/{place.parameters['patient_id']}/hold", {"reason": "trial"}, "application/json")
    assert held.status_code == 200
    return place


def test_no_table_names_a_patient(keys):
    used("Maribor")
    assert naming() == [
        "core_idempotentrequest",
        "patients_patient",
        "studies_series",
        "studies_study",
        "studies_uploadfile",
    ]

    keys(FIRST)
    seal()

    assert naming() == []
    used("Celje")
    office = make_office()
    version = office.confirmed()
    office.approve(version)
    assert "Novak, Ana" in text_of(office.get(version, "report.pdf").content)
    assert b"1980-01-31" in office.get(version, "fhir").content
    assert naming() == []
    assert Study.objects.filter(patient__patient_id="P-Celje").count() == 2


def answers(client: Client) -> dict[str, object]:
    found = {}
    for question in QUESTIONS:
        answer = client.get(question)
        assert answer.status_code in {200, 204}, question
        found[question] = answer.json() if answer.content else None
    return found


def rows() -> dict[str, object]:
    return {table: lines for table, lines in world().items() if table.startswith(("patients_", "studies_"))}


@pytest.fixture
def department(keys) -> Client:
    """Five patients with a study each, and one who has two; somebody who may read all of it."""
    for at, (patient_id, name) in enumerate(PEOPLE.items()):
        born = {} if patient_id == "P2" else {"PatientBirthDate": f"19{60 + 5 * at}0203"}
        receive_series(series(2, patient_id=patient_id, PatientName=name, SpecificCharacterSet="ISO_IR 192", **born))
    receive_series(series(1, patient_id="P1", StudyDate="20220101", PatientBirthDate="19600203"))
    return token_client(make_user(Role.NEUROLOGIST, site=ljubljana()))


def test_everything_answers_as_it_did_whatever_is_sealed(department, keys, monkeypatch):
    monkeypatch.setattr(sealing, "AT_ONCE", 2)
    before, clear = answers(department), rows()
    keys(FIRST)
    assert answers(department) == before
    assert seal("--dry-run").splitlines()[1] == "patients_patient: 5 rows clear"

    killed_after_two_patients()
    assert seal("--dry-run").splitlines()[1] == f"patients_patient: 2 rows under key {FIRST_ID}, 3 rows clear"
    assert answers(department) == before
    seal()
    assert answers(department) == before
    assert Patient.objects.get(patient_id="P12").name == "Žagar^Ana"

    keys(SECOND, FIRST)
    assert answers(department) == before
    killed_after_two_patients()
    assert (
        seal("--dry-run").splitlines()[1]
        == f"patients_patient: 3 rows under key {FIRST_ID}, 2 rows under key {SECOND_ID}"
    )
    assert answers(department) == before
    assert find_or_create(site=ljubljana(), identity=identity("P12"), study_instance_uid="1.2").name == "Žagar^Ana"
    assert seal().splitlines()[1] == (
        f"patients_patient: 3 rows are under key {SECOND_ID}, before: 3 rows under key {FIRST_ID}"
    )

    keys("clear", SECOND)
    assert answers(department) == before
    with pytest.raises(CommandError, match="say --open"):
        seal()
    seal("--open")
    keys()
    assert (answers(department), rows()) == (before, clear)


def killed_after_two_patients() -> None:
    """Between two of its batches, of two rows each."""
    next(one for one in sealing.bring_into_form() if one.table == "patients_patient")


def identity(patient_id: str) -> PatientIdentity:
    return PatientIdentity(patient_id, "", "Somebody", None, "F")


def lines_of_doctor() -> dict[str, str]:
    return {one.examination.name: one.line for one in doctor.examine()}


def test_a_key_that_is_taken_away_too_early_loses_nothing(department, keys):
    keys(FIRST)
    seal()
    keys(SECOND, FIRST)
    receive_series(series(1, patient_id="Y1", PatientName="Zupan^Maja"))
    assert lines_of_doctor()["identifiers"] == (
        f"ok    identifiers         sealed: 11 rows under key {FIRST_ID}, 2 rows under key {SECOND_ID}"
    )

    keys(SECOND)
    shown = department.get("/api/v1/studies?ordering=patient_name").json()["results"]
    one = Patient.objects.order_by("created").first()

    said = f"sealed under key {FIRST_ID}, which is not here"
    assert sorted(row["patient"]["name"] for row in shown) == ["", "Zupan^Maja", *[said] * 5]
    assert {row["patient"]["birth_date"] for row in shown if row["patient"]["name"] == said} == {None}
    assert department.get("/dicom-web/studies?PatientName=nov*").status_code == 204
    with pytest.raises(UnavailableError, match=f"under key {FIRST_ID}, which PLAQUEVIEW_IDENTIFIER_KEYS does not hold"):
        pseudonym_of_patient(one)
    with pytest.raises(UnavailableError, match=FIRST_ID):
        find_or_create(site=ljubljana(), identity=identity("P1"), study_instance_uid="1.2")
    with pytest.raises(UnavailableError, match=FIRST_ID):
        receive_series(series(1, patient_id="P1", study_uid=one.studies.first().study_instance_uid))
    one.save()
    with pytest.raises(CommandError, match=f"5 rows of patients_patient are sealed under key {FIRST_ID}, which is not"):
        seal()
    assert lines_of_doctor()["identifiers"].startswith("FAIL  identifiers")

    keys(SECOND, FIRST)
    assert Patient.objects.get(pk=one.pk).name == "Novak^Ana"
    assert lines_of_doctor()["sealing"].startswith("note  sealing")
    seal()
    keys(SECOND)
    assert sorted(Patient.objects.values_list("patient_id", flat=True)) == ["P1", "P12", "P2", "X2", "X9", "Y1"]


def test_the_doctor_counts_the_rows_of_a_table_once(department, keys):
    keys(FIRST)
    seal()

    with CaptureQueriesContext(connection) as asked:
        lines = lines_of_doctor()

    counts = [one for one in asked.captured_queries if "GROUP BY" in one["sql"] and "patients_patient" in one["sql"]]
    assert len(counts) == 1
    assert lines["identifiers"] == f"ok    identifiers         sealed: 11 rows under key {FIRST_ID}"
    assert lines["sealing"].startswith("ok    sealing")


def test_a_patient_who_came_twice_under_two_keys_is_named(keys):
    site = create_site(name="Maribor")
    keys(FIRST)
    find_or_create(site=site, identity=identity("P1"), study_instance_uid="1.2")
    keys(SECOND)
    again = Patient.objects.create(site=site, patient_id="P1", name="Somebody")
    other = Patient.objects.create(site=site, patient_id="P2", name="Somebody else")
    keys(FIRST, SECOND)

    with pytest.raises(CommandError, match=f"^patients_patient {again.pk} is one patient with another row$"):
        seal()

    assert sealing.rows_by_form()["patients_patient"] == {FIRST_ID: 2, SECOND_ID: 1}
    assert Patient.objects.get(patient_id="P2") == other


def test_what_is_sealed_is_not_looked_up_by_the_database(keys):
    keys(FIRST)

    with pytest.raises(FieldError, match="no more is known of it to the database"):
        Patient.objects.filter(name="Novak^Ana")
    with pytest.raises(FieldError, match=r"^patients_patient.patient_id is sealed"):
        Patient.objects.filter(patient_id__contains="P")


def test_a_key_is_told_by_its_id_only(keys):
    keys(FIRST)

    assert ring().form == FIRST_ID
    assert FIRST not in f"{ring()!r} {ring().__dict__}"
    assert FIRST_ID not in base64.b64decode(FIRST).hex()


@pytest.mark.django_db(transaction=True)
def test_neither_the_files_of_the_database_nor_a_backup_keep_what_was(department, keys, tmp_path):
    keys(FIRST)
    seal()

    copies = [copy_database(tmp_path)]
    if connection.vendor == "sqlite":
        live = Path(connection.settings_dict["NAME"])
        copies += [live, live.with_name(f"{live.name}-wal")]
    kept = b"".join(path.read_bytes() for path in copies if path.exists())
    assert [name for name in (*PEOPLE.values(), "novakovic") if name and name.encode() in kept] == []
    assert b"2024-02-03" in kept or connection.vendor == "postgresql"
