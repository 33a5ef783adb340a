"""What a first start does once: tables, accounts, synthetic patients; a later start finds it done and skips it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from plaqueview import __version__
from plaqueview.launcher.plan import DemoPlan, write_private
from plaqueview.launcher.programs import Program, management, worker_command

PACKAGE = Path(__file__).parents[1]


def is_prepared(plan: DemoPlan) -> bool:
    """Tables and accounts are as this version and these ports need them."""
    return plan.database.exists() and plan.credentials.exists() and _recorded(plan) == _needed(plan)


def record_preparation(plan: DemoPlan) -> None:
    """The next start knows that tables and accounts are as needed."""
    write_private(_record(plan), json.dumps(_needed(plan)) + "\n")


def preparing_programs(plan: DemoPlan) -> tuple[Program, ...]:
    """Tables, then accounts; both change nothing where nothing is missing."""
    addresses = ("--url", plan.url, "--dicom-port", str(plan.dicom_port))
    accounts = ("create_demo_accounts", "--credentials-file", str(plan.credentials), *addresses)
    return (
        Program("tables", management("migrate", "--no-input", "--verbosity", "0")),
        Program("accounts", management(*accounts)),
    )


def has_patients(plan: DemoPlan) -> bool:
    """The synthetic patients were imported by an earlier start."""
    return (plan.patients_dir / "imported").exists()


def record_patients(plan: DemoPlan) -> None:
    """The next start knows that the synthetic patients are there, also when a reader has removed them since."""
    (plan.patients_dir / "imported").touch()


def patient_programs(plan: DemoPlan) -> tuple[Program, ...]:
    """The project's own generator draws the patients as DICOM, then they come in as any study does."""
    return (
        Program("synthesis", worker_command("synthesise", "--demo-patients", str(plan.patients_dir))),
        Program("import", management("import_studies", str(plan.patients_dir))),
    )


def study_program(study: Path) -> Program:
    """The user's own study comes in."""
    return Program("import", management("import_studies", str(study)))


def _record(plan: DemoPlan) -> Path:
    return plan.data_dir / "prepared.json"


def _recorded(plan: DemoPlan) -> Mapping[str, str]:
    path = _record(plan)
    recorded: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return recorded


def _needed(plan: DemoPlan) -> Mapping[str, str]:
    return {
        "version": __version__,
        "migrations": _migrations_hash(),
        "url": plan.url,
        "dicom_port": str(plan.dicom_port),
    }


def _migrations_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.glob("*/migrations/*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
