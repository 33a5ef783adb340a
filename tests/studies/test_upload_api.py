"""Uploads over REST: from the multipart body to the line per file."""

import tracemalloc

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from plaqueview.accounts.services import create_site
from plaqueview.core.access import Action, Role
from plaqueview.studies.models import Instance, Upload
from plaqueview.studies.services import process_upload
from tests.accounts.people import browser, csrf, make_user, token_client
from tests.studies.dicom_files import encoded, ljubljana, series

pytestmark = pytest.mark.django_db


def files(count: int = 3) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"IM{index}.dcm", encoded(one)) for index, one in enumerate(series(count))]


def left_in_store() -> list[str]:
    return [path.name for path in (django_settings.STORAGE_DIR / "incoming").iterdir()]


@pytest.fixture(autouse=True)
def empty_incoming():
    folder = django_settings.STORAGE_DIR / "incoming"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()


def test_an_upload_is_accepted_and_can_be_followed():
    client = token_client(make_user(Role.INTEGRATOR))

    answer = client.post("/api/v1/uploads", {"file": files()})

    body = answer.json()
    assert answer.status_code == 202
    assert answer["Location"] == f"/api/v1/uploads/{body['id']}"
    assert (body["state"], body["file_count"]) == ("processing", 3)
    process_upload(Upload.objects.get().pk)
    body = client.get(answer["Location"]).json()
    assert (body["state"], body["progress"]) == ("done", 1.0)
    assert body["counts"] == {"accepted": 3, "duplicate": 0, "conflict": 0, "rejected": 0}
    (study,) = body["studies"]
    assert body["files"] == [
        {"name": f"IM{index}.dcm", "outcome": "accepted", "reason": "", "study": study} for index in range(3)
    ]
    assert left_in_store() == []


def test_a_browser_uploads_with_its_session_and_the_csrf_header():
    client = browser(make_user(Role.NEUROLOGIST))

    refused = client.post("/api/v1/uploads", {"file": files()})
    accepted = client.post("/api/v1/uploads", {"file": files()}, headers=csrf(client))

    assert (refused.status_code, accepted.status_code) == (403, 202)
    assert Upload.objects.count() == 1
    assert left_in_store() == []


def test_the_same_key_uploads_once():
    client = token_client(make_user(Role.NEUROLOGIST))
    parts = files()

    first = client.post("/api/v1/uploads", {"file": parts}, headers={"Idempotency-Key": "k1"})
    for part in parts:
        part.seek(0)
    second = client.post("/api/v1/uploads", {"file": parts}, headers={"Idempotency-Key": "k1"})

    assert (first.status_code, second.status_code) == (202, 202)
    assert second["Location"] == first["Location"]
    assert Upload.objects.count() == 1
    assert left_in_store() == []


@pytest.mark.parametrize(
    ("body", "status"), [({}, 422), ({"file": "text, and no file"}, 422), ({"other": files(1)}, 422)]
)
def test_a_body_without_a_file_is_invalid(body, status):
    answer = token_client(make_user(Role.NEUROLOGIST)).post("/api/v1/uploads", body)

    assert answer.status_code == status
    assert not Upload.objects.exists()
    assert left_in_store() == []


def test_who_belongs_to_two_sites_names_one():
    user = make_user(Role.NEUROLOGIST)
    maribor = create_site(name="Maribor")
    user.sites.add(maribor)
    client = token_client(user)

    silent = client.post("/api/v1/uploads", {"file": files()})
    foreign = client.post("/api/v1/uploads", {"file": files(), "site": str(create_site(name="Koper").pk)})
    named = client.post("/api/v1/uploads", {"file": files(), "site": str(maribor.pk)})

    assert (silent.status_code, foreign.status_code, named.status_code) == (422, 422, 202)
    assert Upload.objects.get().site == maribor
    assert left_in_store() == []


def test_who_may_not_upload_leaves_nothing_behind():
    user = make_user(Role.NEUROLOGIST)

    anonymous = Client().post("/api/v1/uploads", {"file": files()})
    denied = token_client(user, Action.STUDY_READ).post("/api/v1/uploads", {"file": files()})

    assert (anonymous.status_code, denied.status_code) == (401, 403)
    assert not Upload.objects.exists()
    assert left_in_store() == []


def test_another_site_does_not_see_the_upload():
    token_client(make_user(Role.NEUROLOGIST, site=ljubljana())).post("/api/v1/uploads", {"file": files()})
    stranger = token_client(make_user(Role.NEUROLOGIST, site=create_site(name="Maribor")))

    assert stranger.get(f"/api/v1/uploads/{Upload.objects.get().pk}").status_code == 404


def test_a_full_disk_refuses_before_reading(settings):
    client = token_client(make_user(Role.NEUROLOGIST))
    settings.DISK_RESERVE_BYTES = 2**60

    answer = client.post("/api/v1/uploads", {"file": files()})

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert not Upload.objects.exists()


def test_a_body_cut_off_leaves_nothing_behind():
    client = token_client(make_user(Role.NEUROLOGIST))
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"\0" * 100_000

    answer = client.post("/api/v1/uploads", body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 422
    assert not Upload.objects.exists()
    assert left_in_store() == []


def test_names_that_are_paths_are_only_names():
    client = token_client(make_user(Role.NEUROLOGIST))
    part = SimpleUploadedFile("x", encoded(series(1)[0]))
    part._name = "../../../etc/Žiga\u0007.dcm"

    answer = client.post("/api/v1/uploads", {"file": [part]})

    assert answer.json()["files"][0]["name"] in {"Žiga?.dcm", "Žiga.dcm"}
    process_upload(Upload.objects.get().pk)
    assert Instance.objects.count() == 1


def test_a_large_body_is_not_held_in_memory():
    client = token_client(make_user(Role.NEUROLOGIST))
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'

    class Body:
        """64 MiB of zeros, made as they are read."""

        def __init__(self) -> None:
            self.left = [head, *[b"\0" * 2**20] * 64, b"\r\n--x--\r\n"]
            self.buffer = b""

        def read(self, size: int = -1) -> bytes:
            while self.left and (size < 0 or len(self.buffer) < size):
                self.buffer += self.left.pop(0)
            taken, self.buffer = self.buffer[:size], self.buffer[size:]
            return taken

        readline = read

    length = len(head) + 64 * 2**20 + 9
    tracemalloc.start()
    answer = client.generic(
        "POST",
        "/api/v1/uploads",
        b"",
        content_type="multipart/form-data; boundary=x",
        **{"wsgi.input": Body(), "CONTENT_LENGTH": str(length), "CONTENT_TYPE": "multipart/form-data; boundary=x"},
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert answer.status_code == 202
    assert peak < 16 * 2**20
