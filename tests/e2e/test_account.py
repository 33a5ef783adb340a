"""A reader guards their account with a phone and a passkey, sees where it is open, and comes back in by each."""

import base64
import secrets
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.browsing import faultless_page, fresh_context
from tests.running_demo import ROOT, RunningDemo

pytestmark = pytest.mark.browser

PERIOD_S, ENOUGH_S = 30, 10


@pytest.fixture(scope="module")
def account(demo: RunningDemo) -> dict[str, str]:
    """One of its own: the other tests sign in by password alone."""
    username, password = "guarded", secrets.token_urlsafe(16)
    words = ["create_account", username, "--role", "neurologist", "--site", "Demo"]
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    subprocess.run(command, input=f"{password}\n", text=True, env=demo.manage_environment, check=True)
    return {"username": username, "password": password}


def fresh_code(key: str) -> str:
    """What the phone shows, with time enough to type it."""
    if (left_s := PERIOD_S - time.time() % PERIOD_S) < ENOUGH_S:
        time.sleep(left_s)
    return TOTP(base64.b32decode(key.replace(" ", "")), 6, SHA1(), PERIOD_S).generate(int(time.time())).decode()


def give_password(page: Page, url: str, account: dict[str, str]) -> None:
    page.goto(url)
    page.get_by_label("Username").fill(account["username"])
    page.get_by_role("textbox", name="Password").fill(account["password"])
    page.keyboard.press("Enter")


def give_code(page: Page, code: str) -> None:
    page.get_by_role("textbox", name="Code").fill(code)
    page.keyboard.press("Enter")
    page.get_by_test_id("worklist-row").first.wait_for()


def open_account(page: Page) -> None:
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("open-account").click()
    page.get_by_test_id("account-page").wait_for()


def sign_out(page: Page) -> None:
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("sign-out").click()
    page.get_by_label("Username").wait_for()


def test_the_next_reader_at_the_browser_sees_nothing_of_an_upload_before(
    demo: RunningDemo, account: dict[str, str], stranger: Page
) -> None:
    page = stranger
    give_password(page, demo.url, account)
    page.get_by_test_id("worklist-row").first.wait_for()
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"of a patient"}
    page.get_by_test_id("file-input").set_input_files([notes])
    expect(page.get_by_test_id("upload-file")).to_contain_text("notes.txt")
    sign_out(page)

    page.get_by_label("Username").fill(demo.credentials["admin"]["username"])
    page.get_by_role("textbox", name="Password").fill(demo.credentials["admin"]["password"])
    page.keyboard.press("Enter")
    page.get_by_test_id("worklist-row").first.wait_for()

    expect(page.get_by_test_id("upload-dock")).to_have_count(0)


def test_who_signs_in_where_somebody_still_is_works_under_their_own_name(
    demo: RunningDemo, account: dict[str, str], stranger: Page
) -> None:
    page, sessions = stranger, "**/_allauth/browser/v1/auth/session"
    give_password(page, demo.url, account)
    page.get_by_test_id("worklist-row").first.wait_for()
    page.route(sessions, lambda route: route.abort() if route.request.method == "DELETE" else route.continue_())
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_text("You are still signed in")).to_be_visible()
    page.unroute(sessions)

    give_password(page, f"{demo.url}/sign-in", demo.credentials["admin"])
    page.get_by_test_id("worklist-row").first.wait_for()

    expect(page.get_by_test_id("user-menu")).to_contain_text(demo.credentials["admin"]["username"])


def test_a_phone_guards_the_account_and_another_session_is_ended(
    demo: RunningDemo, account: dict[str, str], stranger: Page, browser: Browser
) -> None:
    page = stranger
    give_password(page, demo.url, account)
    page.get_by_test_id("worklist-row").first.wait_for()
    open_account(page)
    page.get_by_label("Your password").fill(account["password"])
    page.get_by_role("button", name="Add a second factor").click()
    key = page.get_by_test_id("second-factor-key").inner_text()
    page.get_by_role("textbox", name="The code that the app shows now").fill(fresh_code(key))
    page.get_by_role("button", name="Confirm").click()
    shown = page.get_by_test_id("recovery-codes").get_by_role("listitem")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_test_id("second-factor-state")).to_have_text("on")
    sign_out(page)

    give_password(page, demo.url, account)
    give_code(page, fresh_code(key))
    with fresh_context(browser) as context, faultless_page(context) as elsewhere:
        give_password(elsewhere, demo.url, account)
        give_code(elsewhere, codes[0])
        open_account(page)
        expect(page.get_by_test_id("recovery-codes-left")).to_have_text("9 of 10 recovery codes are left.")
        expect(page.get_by_test_id("session-row")).to_have_count(2)
        page.get_by_role("button", name="End", exact=True).click()
        expect(page.get_by_test_id("session-row")).to_have_count(1)
        elsewhere.reload()
        elsewhere.get_by_label("Username").wait_for()
    assert_a_passkey_opens_the_account(demo, account, codes[1], browser)


def assert_a_passkey_opens_the_account(demo: RunningDemo, account: dict[str, str], code: str, browser: Browser) -> None:
    with fresh_context(browser) as context:
        page, url = at_its_name(demo, context)
        give_password(page, url, account)
        give_code(page, code)
        open_account(page)
        add_passkey(page, account, "Desk")
        expect(page.get_by_test_id("passkey-row")).to_contain_text("Desk")
        sign_out(page)
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_test_id("worklist-row").first.wait_for()
        open_account(page)
        page.get_by_test_id("passkey-row").get_by_role("button", name="Rename …").click()
        renaming = page.get_by_role("form", name="Rename the passkey")
        renaming.get_by_label("Name of the passkey").fill("Ward")
        renaming.get_by_role("button", name="Use a passkey instead").click()
        renaming.get_by_test_id("passkey-accepted").wait_for()
        renaming.get_by_role("button", name="Rename the passkey").click()
        expect(page.get_by_test_id("passkey-row")).to_contain_text("Ward")
        page.get_by_test_id("passkey-row").get_by_role("button", name="Remove …").click()
        removal = page.get_by_role("form", name="Remove the passkey")
        removal.get_by_role("button", name="Use a passkey instead").click()
        page.get_by_test_id("passkey-accepted").wait_for()
        removal.get_by_role("button", name="Remove the passkey").click()
        expect(page.get_by_test_id("passkey-row")).to_have_count(0)


def at_its_name(demo: RunningDemo, context: BrowserContext) -> tuple[Page, str]:
    """A page with a key, and the address by this machine's name: browsers have no passkeys at a bare address, and the
    demo itself leads away from its name.
    """
    url = demo.url.replace("127.0.0.1", "localhost") + "/"
    page = context.new_page()
    page.route(url, lambda route: route.fulfill(response=route.fetch(url=demo.url)))
    plug_in_key(page)
    return page, url


def add_passkey(page: Page, account: dict[str, str], name: str) -> None:
    """On the page of the account."""
    page.get_by_role("button", name="Add a passkey …").click()
    page.get_by_label("Name of the passkey").fill(name)
    page.get_by_role("form", name="Add a passkey").get_by_label("Your password").fill(account["password"])
    page.get_by_role("button", name="Add a passkey", exact=True).click()


def plug_in_key(page: Page) -> None:
    """The browser has a security key of its own, whose owner always touches it."""
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    asked = options | {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": asked})
