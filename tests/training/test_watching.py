"""What a run shows of itself: what it takes of its machine, slices with its present prediction, and its log."""

import pytest
from django.utils import timezone

from plaqueview.core.access import Role
from plaqueview.training import services
from plaqueview.training.models import RunLine, RunSample, RunStage, TrainingRun
from plaqueview.training.recipe import Recipe
from plaqueview.training.watching import LINES_KEPT, keep_lines
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import make_model
from tests.training.scenes import make_admin, ready_snapshot

pytestmark = pytest.mark.django_db

SQUARE = [[[10.0, 10.0], [10.0, 20.0], [20.0, 20.0]]]
TAKEN = services.Resources(1.8, 2, 900_000_000, 950_000_000, 8_000_000_000, "", None, None, None)


@pytest.fixture
def admin():
    """An administrator of a department that has a champion."""
    make_model()
    return make_admin()


@pytest.fixture
def run(admin) -> TrainingRun:
    return services.request_run(snapshot_id=ready_snapshot(admin).pk, recipe=Recipe(steps=10), actor=admin)


def line(text: str, level: str = "info") -> services.Line:
    return services.Line(timezone.now(), level, text)


def sample(*, step: int, dice: float) -> services.Sample:
    outlines = {"expert": SQUARE, "active": SQUARE if step > 1 else [], "inactive": []}
    return services.Sample(1, "P-validation/S-validation", 4, b"\x89PNG", step, outlines, dice)


def test_a_running_run_shows_its_machine_its_slices_and_its_log(run, admin):
    claim = services.claim_run(run_id=run.pk, worker="training@host:7", device="cpu")
    for step, dice in ((1, 0.0), (2, 0.5)):
        standing = services.Standing(
            RunStage.LEARNING,
            lines=[line(f"step {step} of 10")],
            samples=[sample(step=step, dice=dice)],
            resources=TAKEN,
        )
        services.renew_run(claim, standing)
    services.end_log(claim, [line("the last word", "warning")])
    services.fail_run(claim, reason="The disk is full.")
    client, address = token_client(admin), f"/api/v1/runs/{run.pk}"

    shown = client.get(address).json()["resources"]
    (found,) = client.get(f"{address}/samples").json()["results"]
    picture = client.get(found["slice_url"])
    log = client.get(f"{address}/log.txt")

    assert (shown["cores_used"], shown["memory_bytes"], shown["gpu"]) == (1.8, 900_000_000, "")
    assert (found["step"], found["dice"], found["study"]) == (2, 0.5, "P-validation/S-validation")
    assert found["outlines"] == {"expert": SQUARE, "active": SQUARE, "inactive": []}
    assert (picture["Content-Type"], picture.content) == ("image/png", b"\x89PNG")
    assert log["Content-Type"] == "text/plain; charset=utf-8"
    assert [row.split(" ", 1)[1] for row in log.content.decode().splitlines()] == [
        "info    waits for a worker",
        "info    taken by training@host:7 on cpu",
        "info    step 1 of 10",
        "info    step 2 of 10",
        "warning the last word",
        "error   failed: The disk is full.",
    ]


def test_before_a_worker_came_nothing_is_measured_and_nothing_is_shown(run, admin):
    client = token_client(admin)

    assert client.get(f"/api/v1/runs/{run.pk}").json()["resources"] is None
    assert client.get(f"/api/v1/runs/{run.pk}/samples").json()["results"] == []
    assert client.get(f"/api/v1/runs/{run.pk}/samples/1/slice.png").status_code == 404


def test_of_a_long_log_the_newest_lines_are_kept(run):
    keep_lines(run, [line(str(number)) for number in range(LINES_KEPT + 3)])
    keep_lines(run, [line("x" * 600)])

    kept = list(RunLine.objects.filter(run=run).order_by("pk").values_list("text", flat=True))
    assert (len(kept), kept[0], kept[-1]) == (LINES_KEPT, "4", "x" * 500)


def test_who_may_not_see_the_run_sees_neither_its_slices_nor_its_log(run, admin):
    RunSample.objects.create(
        run=run, number=1, study="P-1/S-1", slice_number=1, slice_png=b"png", step=1, outlines={}, dice=None
    )
    reader = token_client(make_user(Role.NEUROLOGIST, site=admin.sites.get()))

    for part in ("samples", "samples/1/slice.png", "log.txt"):
        assert reader.get(f"/api/v1/runs/{run.pk}/{part}").status_code == 403
