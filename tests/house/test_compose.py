"""compose.yaml starts what the launcher starts, with variables that exist, hardened alike."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from plaqueview.launcher.plan import DemoPlan
from plaqueview.launcher.programs import Program, clock_program, programs_of, training_programs

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
STAGES = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", CONTAINERFILE, flags=re.MULTILINE | re.DOTALL))

# What only containers differ in: they listen to their network, and their engine says how nice a process is, by its
# share of a core that others want. Source: Linux, kernel/sched/core.c, sched_prio_to_weight.
PLAN = DemoPlan(port=8000, dicom_port=11112, data_dir=Path("/none"), study=None, opens_browser=False)
SHARES = {"5": 335, "10": 110}


def in_a_container(program: Program) -> tuple[list[str], int | None]:
    """Its words, and its share."""
    words = [{sys.executable: "python", "127.0.0.1": "0.0.0.0"}.get(word, word) for word in program.command]
    return (words[3:], SHARES[words[2]]) if words[:2] == ["nice", "-n"] else (words, None)


def test_each_process_of_the_launcher_runs_with_the_same_words_and_as_nice():
    programs = (*programs_of(PLAN), *training_programs(), clock_program())

    for program in programs:
        service = SERVICES[program.name]
        assert (service["command"], service.get("cpu_shares")) == in_a_container(program), program.name


def test_there_is_no_other_process_of_ours():
    names = {program.name for program in (*programs_of(PLAN), clock_program())}

    ours = {name for name, service in SERVICES.items() if service["image"].startswith("plaqueview")}
    assert ours == names | {"prepare", "training", "training-gpu"}
    assert SERVICES["training-gpu"]["command"] == SERVICES["training"]["command"]


def test_every_variable_is_one_of_the_example():
    known = set(re.findall(r"^#?(PLAQUEVIEW_\w+)=", EXAMPLE, flags=re.MULTILINE))

    assert set(re.findall(r"PLAQUEVIEW_\w+", TEXT)) <= known
    assert re.findall(r"(?<!\$)\$(?!\$)\{?\w+", TEXT) == []  # nothing is filled in but by env_file
    assert {tuple(service["env_file"]) for service in SERVICES.values() if "env_file" in service} == {("env",)}


@pytest.mark.parametrize("name", SERVICES)
def test_every_process_is_hardened(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_only_what_speaks_with_others_is_on_the_outer_network():
    outer = {name for name, service in SERVICES.items() if "outside" in service["networks"]}

    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert outer == {"nginx", "dicom", "web", "tasks"}


def test_every_foreign_image_is_pinned_to_a_patch_version():
    images = [service["image"] for service in SERVICES.values() if not service["image"].startswith("plaqueview")]
    images += re.findall(r"^FROM (\S+/\S+)", CONTAINERFILE, flags=re.MULTILINE)

    assert len(images) == 6
    assert [image for image in images if not re.search(r":\d+\.\d+(\.\d+)?-\w+", image)] == []


def test_only_the_images_that_train_have_torch_and_only_one_has_openvino():
    assert {name for name, steps in STAGES.items() if "training]" in steps} == {"training", "training-gpu"}
    assert {name for name, steps in STAGES.items() if "bfloat16]" in steps} == {"bfloat16"}
    on_top = ("training", "training-gpu", "bfloat16", "inference-gpu")
    assert all(STAGES[name].rstrip().endswith("USER 10001") for name in on_top)
    assert "\nUSER 10001\n" in STAGES["platform"]


@pytest.mark.parametrize("way", ["bfloat16", "gpu"])
def test_who_reads_otherwise_has_the_image_for_it_and_nobody_else_changes(way):
    text = (ROOT / "deploy" / f"compose.{way}.yaml").read_text(encoding="utf-8")
    ((name, changed),) = yaml.safe_load(text)["services"].items()

    assert (name, changed["build"]["target"] in STAGES) == ("inference", True)
    assert changed["image"].partition(":")[2] == SERVICES[name]["image"].partition(":")[2]
    assert set(changed["environment"]) <= set(re.findall(r"^(PLAQUEVIEW_\w+)=", EXAMPLE, flags=re.MULTILINE))


def test_everything_that_is_mounted_exists_or_is_the_departments():
    mounted = {
        source.removeprefix("./")
        for service in SERVICES.values()
        for source in (str(volume).split(":")[0] for volume in service.get("volumes", []))
        if source.startswith("./")
    }

    assert mounted == {"nginx.conf", "nginx-upstreams.compose.conf", "tls"}
    assert all((ROOT / "deploy" / name).is_file() for name in mounted - {"tls"})


def test_no_location_of_nginx_sends_headers_of_its_own():
    """Else nginx sends none of the server's: not the host, by which Django knows its own pages."""
    server = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    locations = re.findall(r"^    location [^{]+\{(.*?)^    \}", server, flags=re.DOTALL | re.MULTILINE)

    assert len(locations) == 5
    assert [one for one in locations if "proxy_set_header" in one] == []
    assert "proxy_set_header Host $host;" in server
