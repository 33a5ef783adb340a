"""A reader makes a token for a script, which works until they revoke it; an administrator makes an integrator's."""

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

HEADER = "Authorization"


def open_tokens(page: Page, url: str) -> Locator:
    page.goto(f"{url}/account")
    panel = page.get_by_test_id("token-panel")
    panel.get_by_test_id("token-row").first.or_(panel.get_by_text("There is no token.")).wait_for()
    return panel


def take_secret(page: Page) -> str:
    expect(page.get_by_role("button", name="Copy")).to_be_focused()
    secret = page.get_by_test_id("token-secret").inner_text()
    page.get_by_role("button", name="Done").press("Enter")
    expect(page.get_by_test_id("new-token")).to_be_focused()
    assert secret not in page.content()
    return secret


def status_of(demo: RunningDemo, path: str, secret: str) -> int:
    return httpx.get(f"{demo.url}{path}", headers={HEADER: f"Bearer {secret}"}).status_code


def test_a_token_works_as_far_as_it_was_told_until_it_is_revoked(demo: RunningDemo, page: Page) -> None:
    panel = open_tokens(page, demo.url)
    panel.get_by_test_id("new-token").press("Enter")
    form = page.get_by_test_id("token-form")
    expect(form.get_by_label("Name")).to_be_focused()
    expect(form.get_by_label("Speaks for")).to_have_count(0)
    page.keyboard.type("nightly")
    form.get_by_label("Holds for").select_option("30 days")
    form.get_by_label("See studies").press("Space")
    form.get_by_label("Your password").fill(demo.credentials["neurologist"]["password"])
    page.keyboard.press("Enter")
    secret = take_secret(page)

    assert status_of(demo, "/api/v1/studies", secret) == httpx.codes.OK
    assert status_of(demo, "/api/v1/jobs", secret) == httpx.codes.FORBIDDEN
    page.reload()
    row = panel.get_by_test_id("token-row").filter(has_text="nightly")
    expect(row).to_contain_text("See studies")
    expect(row).not_to_contain_text("Not yet")

    row.get_by_role("button", name="Revoke …").press("Enter")
    row.get_by_role("button", name="Revoke this token").press("Enter")
    expect(row).to_contain_text("Revoked")
    assert status_of(demo, "/api/v1/studies", secret) == httpx.codes.UNAUTHORIZED


def test_an_administrator_makes_a_token_for_an_integrator(demo: RunningDemo, colleague: Page) -> None:
    page = colleague
    panel = open_tokens(page, demo.url)
    panel.get_by_test_id("new-token").click()
    form = page.get_by_test_id("token-form")
    form.get_by_label("Speaks for").select_option("integrator")
    form.get_by_label("Name").fill("RIS")
    form.get_by_label("All that the role may").check()
    form.get_by_label("Your password").fill(demo.credentials["admin"]["password"])
    page.keyboard.press("Enter")
    secret = take_secret(page)

    me = httpx.get(f"{demo.url}/api/v1/me", headers={HEADER: f"Bearer {secret}"}).json()
    assert me["username"] == "integrator"
    row = panel.get_by_test_id("token-row").filter(has_text="RIS")
    expect(row).to_contain_text("All that the role may")
    row.get_by_role("button", name="Revoke …").click()
    row.get_by_role("button", name="Revoke this token").click()
    expect(row).to_contain_text("Revoked")
