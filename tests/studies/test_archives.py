"""Archives: unpacked member by member within limits, whatever they claim."""

import zipfile

import pytest

from plaqueview.studies.models import FileOutcome, Instance
from plaqueview.studies.services import process_upload
from tests.studies.dicom_files import encoded, series, zipped
from tests.studies.taken_uploads import lines_of, processed, uploaded

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_zip_is_unpacked_without_using_its_paths(tmp_path):
    datasets = series(4)
    members = {
        "../../../../etc/passwd": encoded(datasets[0]),
        "/absolute": encoded(datasets[1]),
        "C:\\windows\\x": encoded(datasets[2]),
        "Žiga/šest/" + "x" * 500: encoded(datasets[3]),
        "study/readme.txt": b"hello",
    }

    lines = processed({"study.zip": zipped(members)})

    outcomes = [outcome for name, (outcome, _) in lines.items() if name != "study.zip"]
    assert sorted(outcomes) == [FileOutcome.ACCEPTED] * 4 + [FileOutcome.REJECTED]
    assert lines["study.zip"] == (FileOutcome.UNPACKED, "5 files")
    assert lines["../../../../etc/passwd"][0] == FileOutcome.ACCEPTED
    assert Instance.objects.count() == 4


def test_an_archive_in_an_archive_is_refused():
    inner = zipped({"a": encoded(series(1)[0])})

    lines = processed({"outer.zip": zipped({"inner.zip": inner})})

    assert lines["inner.zip"] == (
        FileOutcome.REJECTED,
        "an archive inside an archive is not opened; send it by itself",
    )
    assert not Instance.objects.exists()


def test_an_encrypted_member_is_refused_and_its_neighbour_kept():
    content = bytearray(zipped({"secret": encoded(series(1)[0]), "open": encoded(series(1)[0])}))
    content[6] |= 1  # the flag in the first local header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the list

    lines = processed({"a.zip": bytes(content)})

    assert lines["secret"] == (FileOutcome.REJECTED, "not DICOM: encrypted, need an archive without a password")
    assert lines["open"][0] == FileOutcome.ACCEPTED


def test_a_method_that_cannot_be_bounded_is_refused():
    lines = processed({"a.zip": zipped({"m": encoded(series(1)[0])}, zipfile.ZIP_BZIP2)})

    assert lines["m"] == (
        FileOutcome.REJECTED,
        "not DICOM: compressed by method 12, need stored (0) or deflated (8)",
    )


def test_a_damaged_member_is_refused_and_its_neighbour_kept():
    content = bytearray(zipped({"bad": encoded(series(1)[0]), "good": encoded(series(1)[0])}))
    content[60:80] = b"\xff" * 20

    lines = processed({"a.zip": bytes(content)})

    assert lines["bad"][0] == FileOutcome.REJECTED
    assert lines["good"][0] == FileOutcome.ACCEPTED


def test_a_zip_cut_off_is_refused():
    content = zipped({"a": encoded(series(1)[0])})

    lines = processed({"a.zip": content[:-30]})

    assert lines["a.zip"] == (FileOutcome.REJECTED, "the archive has no list of members: it is cut off")


def test_a_bomb_is_refused_before_it_goes_off():
    lines = processed({"bomb.zip": zipped({"zeros": b"\0" * 100_000_000})})

    outcome, reason = lines["bomb.zip"]
    assert outcome == FileOutcome.REJECTED
    assert reason.endswith("times its size, the limit is 200")
    assert list(lines) == ["bomb.zip"]


def test_a_member_that_lies_about_its_size_is_cut_there():
    content = bytearray(zipped({"zeros": b"\0" * 100_000_000}))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = (1000).to_bytes(4, "little")

    lines = processed({"bomb.zip": bytes(content)})

    assert lines["zeros"][0] == FileOutcome.REJECTED


@pytest.mark.parametrize(
    ("setting", "limit", "reason"),
    [
        ("UPLOAD_MAX_FILES", 2, "the archive has 3 members, the limit is 2"),
        ("UPLOAD_MAX_BYTES", 10, "the archive unpacks to 15 bytes, the limit is 10"),
    ],
)
def test_limits_on_an_archive(setting, limit, reason, settings):
    upload = uploaded({"a.zip": zipped({"1": b"aaaaa", "2": b"bbbbb", "3": b"ccccc"})})
    setattr(settings, setting, limit)

    process_upload(upload.pk)

    assert lines_of(upload)["a.zip"] == (FileOutcome.REJECTED, reason)
