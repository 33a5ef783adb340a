"""The report on pages: what it says, to whom it can be read aloud, and that it stays a draft until it is approved."""

from datetime import date
from io import BytesIO

import pytest
from PIL import Image
from pydicom import dcmread

from plaqueview.annotations.models import Annotation
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.reports import words
from plaqueview.reports.documents import DocumentKind, make
from plaqueview.reports.key_slices import chosen_slices, key_slices
from plaqueview.studies import services as studies
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import statement
from tests.imaging.documents import dciodvfy_errors
from tests.inference.scenes import segmentation
from tests.longitudinal.visits import LASTING, NEW, OLD, read_with, registered, visits
from tests.reports.pages import reader_of, text_of
from tests.reports.scenes import SERIES_UID, STUDY_UID, Office, make_office
from tests.reports.test_peers import needs_dciodvfy

pytestmark = pytest.mark.django_db

NOTICE = "Research use only, not a medical device."


@pytest.fixture
def office() -> Office:
    return make_office()


def test_a_prediction_says_whose_it_is_what_was_counted_and_that_nobody_approved_it(office):
    content = office.get(office.prediction, "report.pdf").content

    text = text_of(content)
    assert "Novak, Ana · P1 · 2024-02-03 DRAFT: approved by nobody" in text
    assert (
        "3 lesions were counted: 1 active (0.748 ml) and 2 inactive (0.528 ml), 1.276 ml in all. "
        "These numbers are AI-predicted (FLAIR only): no reader has confirmed them. "
        "The largest is lesion 1 (active): 0.748 ml, longest axis 10.8 mm, slices 4\u20136."
    ) in text
    assert f"Counted: {office.prediction.counting_rule}." in text
    assert "phantom-reader 1.0" in text
    assert office.prediction.model_sha256 in text
    assert "Computed in float32 on the CPU" in " ".join(text.split())
    assert "Trained on phantoms." in text
    assert f"Version 1 · {office.prediction.pk} · {NOTICE} Page 1 of 2" in text
    assert words.counting_rule(office.prediction) == office.prediction.counting_rule


def test_the_watermark_goes_when_the_version_is_approved(office):
    version = office.confirmed()
    before = text_of(office.get(version, "report.pdf").content)
    office.approve(version)

    after = text_of(office.get(version, "report.pdf").content)

    name = office.desk.reader.username
    assert ("DRAFT: approved by nobody" in before, "DRAFT" in after) == (True, False)
    assert f"Approved by {name}, Ljubljana, " in after
    assert "confirmed by no reader" not in after
    assert "Confirmed by a reader: enhances after gadolinium" in after


def test_an_active_lesion_that_a_reader_drew_is_not_called_the_networks(office):
    version = office.desk.submitted(statements=[statement("added")])

    text = text_of(office.get(version, "report.pdf").content)

    assert "1 active lesion is active in the version of a reader, who named no evidence of activity." in text
    assert "it is AI-predicted active" not in text


def test_approved_pages_are_the_same_bytes_for_good_whatever_the_prior_becomes(office):
    version = office.confirmed()
    office.approve(version)
    first = office.get(version, "report.pdf").content
    prior = visits(2, site=office.desk.study.site)[1]
    prior.patient = office.desk.study.patient
    prior.study_date = date(2020, 1, 1)
    prior.save()
    read_with(prior, OLD)
    registered(office.desk.study, prior)

    assert office.get(version, "report.pdf").content == first
    assert office.get(office.prediction, "report.pdf").content != first


def test_the_pages_are_tagged_named_and_in_a_language_with_words_for_each_picture(office):
    reader = reader_of(office.get(office.prediction, "report.pdf").content)

    catalog = reader.root_object
    metadata = reader.xmp_metadata
    assert bool(catalog["/MarkInfo"]["/Marked"])
    assert catalog["/Lang"] == "en"
    assert bool(catalog["/ViewerPreferences"]["/DisplayDocTitle"])
    assert reader.metadata.title == "Report on lesions of multiple sclerosis"
    assert metadata.dc_title["x-default"] == reader.metadata.title
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata.stream.get_data()
    alternatives = [one["/Alt"] for one in figures_of(catalog["/StructTreeRoot"])]
    assert alternatives == ["FLAIR slice 4 of 6 with the outlines of the lesions 1, 2, 3"]


def figures_of(element) -> list:
    element = element.get_object()
    if not isinstance(element, dict):
        return [found for one in element for found in figures_of(one)] if isinstance(element, list) else []
    own = [element] if element.get("/S") == "/Figure" else []
    return own + (figures_of(element["/K"]) if "/K" in element else [])


def test_the_csv_of_the_version_is_attached(office):
    reader = reader_of(office.get(office.prediction, "report.pdf").content)

    assert reader.attachments == {"lesions.csv": [office.get(office.prediction, "lesions.csv").content]}


@pytest.mark.parametrize(
    ("language", "title", "draft"),
    [
        ("de", "Bericht über Läsionen bei Multipler Sklerose", "ENTWURF: von niemandem freigegeben"),
        ("es", "Informe de lesiones de esclerosis múltiple", "BORRADOR: no aprobado por nadie"),
        ("fa", "گزارش ضایعه‌های مولتیپل اسکلروزیس", "پیش‌نویس: هیچ‌کس تأیید نکرده است"),
    ],
)
def test_the_pages_speak_the_language_that_is_asked_for(office, language, title, draft):
    reader = reader_of(office.get(office.prediction, f"report.pdf?language={language}").content)

    assert reader.root_object["/Lang"] == language
    assert reader.metadata.title == title
    assert reader.metadata.subject.startswith(draft)


def test_an_unknown_language_is_refused(office):
    assert office.get(office.prediction, "report.pdf?language=tlh").status_code == 400


def test_a_name_in_letters_that_no_font_has_keeps_the_report(office):
    office.desk.study.patient.name = "\u5c71\u7530^\u592a\u90ce"
    office.desk.study.patient.save()

    text = text_of(office.get(office.prediction, "report.pdf").content)

    assert "??, ?? · P1 · 2024-02-03" in text


def test_of_a_name_in_several_scripts_the_alphabetic_one_is_printed():
    assert words.person("Yamada^Tarou=\u5c71\u7530^\u592a\u90ce") == "Yamada, Tarou"


def test_a_version_without_lesions_says_so_and_shows_no_slices(office):
    labels = segmentation().labels.voxels * 0
    version = office.desk.submitted(labels)

    text = text_of(office.get(version, "report.pdf").content)

    assert "No lesion was counted by the rule below." in text
    assert "Key slices" not in text


def test_what_changed_since_the_prior_is_said_and_the_reading_of_the_prior_is_on_record(monkeypatch):
    study, prior = visits()
    current, before = read_with(study, LASTING, NEW), read_with(prior, OLD, LASTING)
    registered(study, prior)
    monkeypatch.setattr("plaqueview.reports.report_pdf.key_slices", lambda *_: [])  # these visits have no files
    client = token_client(make_user(Role.NEUROLOGIST, site=study.site))

    answer = client.get(f"/api/v1/annotations/{current.pk}/report.pdf")

    assert (
        "Against the study of 2023-03-14, version 1 (a network's): "
        "1 new, 0 enlarging, 1 stable, 0 shrinking, 1 resolved."
    ) in text_of(answer.content)
    reads = AuditEvent.objects.filter(kind=EventKind.ANNOTATION_READ, object_id=str(before.pk))
    assert [event.details["part"] for event in reads] == ["report.pdf"]


def test_key_slices_show_active_lesions_first_and_each_lesion_once(office):
    lesions = list(office.prediction.lesions.order_by("number"))

    assert chosen_slices(lesions) == [3]
    assert chosen_slices([one for one in lesions if one.lesion_class == LesionClass.INACTIVE]) == [3]
    assert chosen_slices([]) == []


def test_a_key_slice_is_drawn_from_its_own_file_as_from_the_whole_volume(office):
    whole = studies.load_volume(office.prediction.series_id).volume.voxels
    slices = studies.load_slices(office.prediction.series, [0, 3])
    (shown,) = key_slices(office.prediction, list(office.prediction.lesions.order_by("number")))

    assert {index: voxels.tolist() for index, voxels in slices.items()} == {at: whole[at].tolist() for at in (0, 3)}
    assert (shown.slice_index, shown.lesions, shown.aspect) == (3, (1, 2, 3), 1.0)
    assert Image.open(BytesIO(shown.png)).size == (512, 512)


def test_the_encapsulated_pages_belong_to_the_study_and_refer_to_its_slices(office):
    office.approve(version := office.confirmed())
    version = Annotation.objects.get(pk=version.pk)

    dataset = dcmread(BytesIO(make(version, DocumentKind.ENCAPSULATED_PAGES).content))
    german = dcmread(BytesIO(make(version, DocumentKind.ENCAPSULATED_PAGES, language="de").content))

    assert (dataset.StudyInstanceUID, dataset.PatientID, str(dataset.PatientName)) == (STUDY_UID, "P1", "Novak^Ana")
    assert (dataset.Modality, dataset.VerificationFlag, dataset.BurnedInAnnotation) == ("DOC", "VERIFIED", "YES")
    assert [one.ReferencedSOPInstanceUID for one in dataset.SourceInstanceSequence] == [
        f"{SERIES_UID}.{number}" for number in range(1, 7)
    ]
    pages = dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength]
    assert pages == make(version, DocumentKind.PAGES).content
    assert german.SOPInstanceUID != dataset.SOPInstanceUID
    assert german.SeriesInstanceUID == dataset.SeriesInstanceUID


@needs_dciodvfy
def test_dciodvfy_finds_no_error_in_a_draft_of_them(office, tmp_path):
    path = tmp_path / "pdf.dcm"
    path.write_bytes(office.get(office.prediction, "pdf.dcm").content)

    assert dciodvfy_errors(path) == []
