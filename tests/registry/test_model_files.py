"""Models as signed files: what one installation exports another believes, and nothing else."""

import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from hypothesis import given, strategies

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError
from plaqueview.core.storage import store_bytes, stored_path
from plaqueview.registry import exchange, signed_file
from plaqueview.registry.models import ModelVersion, Origin, Stage
from plaqueview.registry.services import NewModel, register_new
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import make_model

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ONNX, SAFETENSORS = b"an ONNX graph", b"safe tensors"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest(**fields: str) -> signed_file.Manifest:
    whole = {
        "name": "phantom-reader",
        "version": "trained-1",
        "sha256": sha256(ONNX),
        "safetensors_sha256": sha256(SAFETENSORS),
        "preprocessing_version": "five-steps-1",
        "card": "# A card",
        "caveat": "Trained elsewhere.",
        "software": "0.1.0",
    }
    return signed_file.Manifest(**{**whole, **fields}, facts={"metrics": {"dice": 0.5}})


def written(folder: Path, *, key: Ed25519PrivateKey = KEY, **fields: str) -> bytes:
    """A model file with the weights above, which the manifest names rightly unless told otherwise."""
    for name, content in (("onnx", ONNX), ("safetensors", SAFETENSORS)):
        (folder / name).write_bytes(content)
    target = io.BytesIO()
    weights = {"onnx": folder / "onnx", "safetensors": folder / "safetensors"}
    signed_file.write(target, manifest(**fields), **weights, key=key)
    return target.getvalue()


def repacked(content: bytes, **changed: bytes | None) -> bytes:
    """The file with members exchanged, added or, by None, taken away; nobody signs it again."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    members |= {name.replace("__", "."): value for name, value in changed.items()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, value in members.items():
            if value is not None:
                archive.writestr(name, value)
    return target.getvalue()


def unpacked(content: bytes, folder: Path) -> signed_file.Opened:
    folder.mkdir(exist_ok=True)
    return signed_file.unpack(io.BytesIO(content), folder, trusted=[KEY.public_key()])


def test_what_is_written_is_what_is_read(tmp_path):
    content = written(tmp_path)

    opened = unpacked(content, tmp_path / "out")

    assert opened.manifest == manifest()
    assert opened.safetensors is not None
    assert (opened.onnx.read_bytes(), opened.safetensors.read_bytes()) == (ONNX, SAFETENSORS)
    assert content == written(tmp_path)


def test_each_change_is_refused_with_its_reason(tmp_path):
    whole = written(tmp_path)
    told = json.loads(zipfile.ZipFile(io.BytesIO(whole)).read("manifest.json"))
    newer = json.dumps({**told, "format_version": 2}).encode()
    renamed = json.dumps({**told, "version": "9.9"}).encode()
    files = {
        b"pickle": "this is no model file of PlaqueView",
        repacked(whole, model__onnx=b"another graph"): "model.onnx was changed since the file was signed",
        repacked(whole, model__safetensors=None): "model.safetensors is missing or was added since the file was signed",
        repacked(whole, weights__pt=b"\x80\x04."): "this is no model file of PlaqueView: it holds other members",
        repacked(whole, manifest__json=renamed): "the manifest was changed since it was signed",
        repacked(whole, manifest__json=newer): "the file has format version 2, this PlaqueView reads 1",
        repacked(whole, manifest__json=b"{}"): "this is no model file of PlaqueView: the manifest says another format",
        repacked(whole, signature=bytes(64)): "the manifest was changed since it was signed",
        written(
            tmp_path, key=STRANGER
        ): f"the file is signed by {signed_file.text_of(STRANGER.public_key())}, which is no key that is trusted here",
    }

    for number, (content, reason) in enumerate(files.items()):
        with pytest.raises(signed_file.SignedFileError) as refusal:
            unpacked(content, tmp_path / str(number))
        assert str(refusal.value) == reason


@given(place=strategies.floats(0.0, 1.0, exclude_max=True), flipped=strategies.integers(1, 255))
def test_no_changed_byte_gets_through(tmp_path_factory, place, flipped):
    """It is refused, or it stood where the archive says nothing and the model is the same."""
    folder = tmp_path_factory.mktemp("file")
    content = bytearray(written(folder))
    content[int(place * len(content))] ^= flipped

    try:
        opened = unpacked(bytes(content), folder / "out")
    except signed_file.SignedFileError:
        return
    assert opened.manifest == manifest()
    assert opened.onnx.read_bytes() == ONNX


@pytest.fixture
def keys(settings):
    settings.MODEL_SIGNING_KEY = signed_file.secret_text_of(KEY)
    settings.MODEL_TRUSTED_KEYS = []


@pytest.fixture
def trained(db, keys) -> ModelVersion:
    make_model()
    keep = {name: store_bytes([content], kind="models") for name, content in (("o", ONNX), ("s", SAFETENSORS))}
    new = NewModel(
        name="phantom-reader",
        version="trained-1",
        sha256=keep["o"].sha256,
        preprocessing_version="five-steps-1",
        card="# A card",
        facts={"metrics": {"dice": 0.5}},
        caveat="Trained here.",
        onnx_key=keep["o"].key,
        safetensors_key=keep["s"].key,
    )
    return register_new(new, origin=Origin.TRAINED)


def test_a_model_goes_out_and_comes_in_elsewhere_as_a_candidate(trained):
    admin = make_user(Role.ADMIN, site=create_site(name="Ljubljana"))
    client = token_client(admin)
    answer = client.get(f"/api/v1/models/{trained.pk}/file")
    content = b"".join(answer.streaming_content)
    known = client.post("/api/v1/models/import", {"file": SimpleUploadedFile("m.pvmodel", content)})
    trained.delete()  # another installation, which trusts this one

    made = client.post("/api/v1/models/import", {"file": SimpleUploadedFile("m.pvmodel", content)})

    assert (known.status_code, made.status_code) == (409, 201)
    model = ModelVersion.objects.get(version="trained-1")
    assert (model.stage, model.origin, model.caveat) == (Stage.CANDIDATE, Origin.IMPORTED, "Trained here.")
    assert model.facts["imported"] == {"signed_by": signed_file.text_of(KEY.public_key()), "software": "0.1.0"}
    assert (stored_path(model.onnx_key).read_bytes(), model.sha256) == (ONNX, sha256(ONNX))
    promote = client.post(f"/api/v1/models/{model.pk}/promote", {"comment": "Try."}, content_type="application/json")
    assert promote.json()["code"] == "gate_not_passed"
    assert AuditEvent.objects.filter(kind=EventKind.MODEL_IMPORTED, actor_id=admin.pk).count() == 1


def test_a_foreign_or_unsuited_model_leaves_nothing_behind(trained, tmp_path):
    client = token_client(make_user(Role.ADMIN, site=create_site(name="Ljubljana")))
    foreign = written(tmp_path, key=STRANGER, version="foreign-1")
    other_steps = written(tmp_path, version="other-1", preprocessing_version="five-steps-9")

    answers = [
        client.post("/api/v1/models/import", {"file": SimpleUploadedFile("m.pvmodel", content)})
        for content in (foreign, other_steps)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "no key that is trusted here" in answers[0].json()["detail"]
    assert answers[1].json()["detail"] == "the model needs preprocessing five-steps-9; here is five-steps-1"
    assert ModelVersion.objects.filter(origin=Origin.IMPORTED).count() == 0


def test_what_comes_with_the_software_and_what_nobody_can_sign_stay(trained, settings):
    with pytest.raises(ConflictError, match="the files of this model come with the software"):
        exchange.export_model(model_id=make_model().pk, target=io.BytesIO(), actor=None)
    settings.MODEL_SIGNING_KEY = ""
    with pytest.raises(ConflictError, match="there is no key to sign with"):
        exchange.export_model(model_id=trained.pk, target=io.BytesIO(), actor=None)


def test_the_commands_do_the_same(trained, tmp_path, settings, capsys):
    path = tmp_path / "model.pvmodel"
    call_command("export_model", "trained-1", str(path))
    trained.delete()
    call_command("import_model", str(path))
    path.write_bytes(b"no model")
    with pytest.raises(CommandError, match="this is no model file of PlaqueView"):
        call_command("import_model", str(path))
    call_command("model_keys")

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"phantom-reader trained-1 is in {path}", "phantom-reader trained-1 is a candidate"]
    pair = [base64.b64decode(line.split("=", 1)[1]) for line in lines[2:]]
    assert Ed25519PrivateKey.from_private_bytes(pair[0]).public_key().public_bytes_raw() == pair[1]
