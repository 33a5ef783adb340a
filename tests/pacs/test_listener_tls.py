"""The listener behind TLS: real callers of dcmtk, and callers that only want to be in the way. Source: PS3.15 B.12."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from plaqueview.pacs.listener import Listener
from plaqueview.pacs.listener_tls import TlsSettingsError, listener_context
from plaqueview.studies.models import Instance
from tests.pacs.peers import PATH, certificate_and_key, needs_dcmtk
from tests.studies.dicom_files import encoded, ljubljana, series

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Identity:
    certificate: Path
    key: Path


def identity(folder: Path, name: str) -> Identity:
    certificate, key = certificate_and_key(name)
    made = Identity(folder / f"{name}.pem", folder / f"{name}.key")
    made.certificate.write_text(certificate)
    made.key.write_text(key)
    return made


@pytest.fixture
def own(tmp_path, settings) -> Identity:
    made = identity(tmp_path, "listener")
    settings.DICOM_TLS_CERTIFICATE, settings.DICOM_TLS_KEY = str(made.certificate), str(made.key)
    return made


@pytest.fixture
def scanner(tmp_path) -> Identity:
    return identity(tmp_path, "scanner")


@contextmanager
def listening() -> Iterator[int]:
    running = Listener(site=ljubljana())
    try:
        yield running.address[1]
    finally:
        running.stop()


def storescu(port: int, file: Path, *options: str | Path) -> int:
    words = [shutil.which("storescu", path=PATH), "-aec", "PLAQUEVIEW", "-to", "20", *options]
    command = [*map(os.fspath, words), "127.0.0.1", str(port), os.fspath(file)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "instance.dcm"
    path.write_bytes(encoded(series(1)[0]))
    return path


@needs_dcmtk
@pytest.mark.peers
def test_storescu_sends_by_tls_and_a_plain_caller_gets_nowhere(own, scanner, file):
    with listening() as port:
        assert storescu(port, file) != 0
        assert not Instance.objects.exists()
        assert storescu(port, file, "+tls", scanner.key, scanner.certificate, "+cf", own.certificate) == 0

    assert Instance.objects.count() == 1


@needs_dcmtk
@pytest.mark.peers
def test_where_callers_are_named_another_s_certificate_and_none_at_all_are_refused(
    own, scanner, file, tmp_path, settings
):
    settings.DICOM_TLS_CALLERS = str(scanner.certificate)
    stranger = identity(tmp_path, "stranger")
    with listening() as port:
        assert storescu(port, file, "+tla", "+cf", own.certificate) != 0
        assert storescu(port, file, "+tls", stranger.key, stranger.certificate, "+cf", own.certificate) != 0
        assert not Instance.objects.exists()
        assert storescu(port, file, "+tls", scanner.key, scanner.certificate, "+cf", own.certificate) == 0

    assert Instance.objects.count() == 1


@needs_dcmtk
@pytest.mark.peers
def test_callers_that_say_nothing_or_half_a_greeting_keep_nobody_out(own, scanner, file):
    with listening() as port, ExitStack() as in_the_way:
        for greeting in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n"):
            caller = in_the_way.enter_context(socket.create_connection(("127.0.0.1", port)))
            caller.sendall(greeting)

        assert storescu(port, file, "+tls", scanner.key, scanner.certificate, "+cf", own.certificate) == 0


def test_without_its_variables_it_speaks_plainly(settings):
    assert listener_context() is None


def test_a_certificate_without_its_key_or_with_another_one_is_refused_by_name(own, scanner, settings):
    settings.DICOM_TLS_KEY = str(scanner.key)
    with pytest.raises(TlsSettingsError, match=r"certificate or key cannot be used: .*KEY_VALUES_MISMATCH"):
        listener_context()
    settings.DICOM_TLS_KEY = ""
    with pytest.raises(TlsSettingsError, match="DICOM_TLS_CERTIFICATE and PLAQUEVIEW_DICOM_TLS_KEY need each other"):
        listener_context()


def test_authorities_that_are_none_or_stand_alone_are_refused_by_name(own, tmp_path, settings):
    (tmp_path / "empty.pem").touch()
    settings.DICOM_TLS_CALLERS = str(tmp_path / "empty.pem")
    with pytest.raises(TlsSettingsError, match="PLAQUEVIEW_DICOM_TLS_CALLERS cannot be used: "):
        listener_context()
    settings.DICOM_TLS_CERTIFICATE = settings.DICOM_TLS_KEY = ""
    with pytest.raises(TlsSettingsError, match="PLAQUEVIEW_DICOM_TLS_CALLERS needs"):
        listener_context()
