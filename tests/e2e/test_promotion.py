"""An administrator signs for a model by passkey, where a password is asked for."""

import secrets
import subprocess
import sys
import textwrap

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browsing import fresh_context
from tests.e2e.test_account import add_passkey, at_its_name, give_password, open_account
from tests.running_demo import ROOT, RunningDemo

pytestmark = pytest.mark.browser

FORGOTTEN_AFTER_MS = 300_000

# An administrator, and a model that the gate has not judged: two administrators have to sign, and the champion stays.
SCENE = """
    from django.core.management import call_command
    from plaqueview.registry.models import Origin
    from plaqueview.registry.services import NewModel, register_new
    register_new(
        NewModel(
            name="elsewhere", version="1.0.0", sha256="e" * 64, preprocessing_version="five-steps-1", card="# A card",
            facts={}, caveat="Trained elsewhere.", onnx_key="models/ee/ee", safetensors_key="models/ff/ff",
        ),
        origin=Origin.TRAINED,
    )
    call_command("create_account", "guardian", role="admin", site=["Demo"])
"""


@pytest.fixture
def account(demo: RunningDemo) -> dict[str, str]:
    password = secrets.token_urlsafe(16)
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--verbosity", "0", "--command"]
    script = textwrap.dedent(SCENE)
    subprocess.run([*command, script], input=f"{password}\n", text=True, env=demo.manage_environment, check=True)
    return {"username": "guardian", "password": password}


def test_a_promotion_is_signed_by_passkey_and_by_another_once_that_is_five_minutes_old(
    demo: RunningDemo, account: dict[str, str], browser: Browser
) -> None:
    with fresh_context(browser) as context:
        page, url = at_its_name(demo, context)
        page.clock.install()
        give_password(page, url, account)
        page.get_by_test_id("worklist-row").first.wait_for()
        open_account(page)
        add_passkey(page, account, "Desk")
        page.get_by_role("button", name="I have kept them").click()

        page.get_by_role("link", name="Models").click()
        form = page.get_by_role("form", name="Promote 1.0.0")
        form.get_by_label("Why").fill("It was tried elsewhere.")
        form.get_by_label("Against the gate").check()
        form.get_by_role("button", name="Use a passkey instead").click()
        form.get_by_test_id("passkey-accepted").wait_for()
        page.clock.fast_forward(FORGOTTEN_AFTER_MS)
        form.get_by_role("button", name="Use a passkey instead").click()
        form.get_by_test_id("passkey-accepted").wait_for()
        form.get_by_role("button", name="Promote").click()

        expect(form).to_contain_text("A second administrator has to ask for the same.")
    with demo.api("admin") as api:
        events = api.get("/api/v1/audit", params={"page_size": 20}).json()["results"]
    assert ("model.override_asked", "guardian") in [(event["kind"], event["actor_name"]) for event in events]
