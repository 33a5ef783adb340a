"""What one demo is: its ports, its folder, and the environment that its processes share."""

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

AE_TITLE = "PLAQUEVIEW"


@dataclass(frozen=True)
class DemoPlan:
    """The user's choices; every path of the folder is derived here. `data_dir` and `study` are absolute."""

    port: int
    dicom_port: int
    data_dir: Path
    study: Path | None = None
    opens_browser: bool = True

    @property
    def feed_port(self) -> int:
        """WebSockets have a server of their own, on the next port; cookies do not mind ports."""
        return self.port + 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.data_dir / "plaqueview.sqlite3"

    @property
    def storage_dir(self) -> Path:
        return self.data_dir / "storage"

    @property
    def logs_dir(self) -> Path:
        return self.data_dir / "logs"

    @property
    def broker_dir(self) -> Path:
        return self.data_dir / "broker"

    @property
    def patients_dir(self) -> Path:
        return self.data_dir / "synthetic-patients"

    @property
    def credentials(self) -> Path:
        return self.data_dir / "credentials.json"

    @property
    def environment_file(self) -> Path:
        return self.data_dir / "environment"


def make_folders(plan: DemoPlan) -> None:
    """The demo's folders exist and only their owner can enter."""
    for folder in (plan.data_dir, plan.storage_dir, plan.logs_dir, plan.broker_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def environment_of(plan: DemoPlan, *, broker_url: str) -> dict[str, str]:
    """The variables of `deploy/env.example` as this demo sets them; the user's own go first, save the demo's places."""
    chosen = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return chosen | {
        "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
        "PLAQUEVIEW_SECRET_KEY": _kept(plan.data_dir / "secret_key", secrets.token_urlsafe(48)),
        "PLAQUEVIEW_MODEL_SIGNING_KEY": _kept(plan.data_dir / "model_signing_key", new_signing_key()),
        "PLAQUEVIEW_ORIGIN": plan.url,
        "PLAQUEVIEW_FEED_URL": f"ws://127.0.0.1:{plan.feed_port}/ws/feed",
        "PLAQUEVIEW_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PLAQUEVIEW_DATABASE_URL": f"sqlite:///{plan.database}",
        "PLAQUEVIEW_REDIS_URL": broker_url,
        "PLAQUEVIEW_STORAGE_DIR": str(plan.storage_dir),
        "PLAQUEVIEW_DICOM_AE_TITLE": AE_TITLE,
        "PLAQUEVIEW_NODES_ON_LOOPBACK": "true",
    }


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """`path` holds our variables as NAME=value, for `manage.py` beside a running demo; only the owner can read it."""
    lines = [f"{name}={value}\n" for name, value in sorted(environment.items()) if name.startswith("PLAQUEVIEW_")]
    write_private(path, "".join(lines))


def write_private(path: Path, text: str) -> None:
    """`path` holds `text`, in one step, with mode 0600 from its first byte."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def new_signing_key() -> str:
    """An Ed25519 key: any 32 bytes are one. Source: RFC 8032, 5.1.5."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _kept(path: Path, new_secret: str) -> str:
    """The secret of the first start."""
    if not path.exists():
        write_private(path, new_secret)
    return path.read_text(encoding="utf-8").strip()
