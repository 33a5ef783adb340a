"""An administrator lets somebody in, and out again; the account's owner alone knows its password."""

import secrets

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browsing import faultless_page, fresh_context, open_administration, sign_in
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser


def manage(page: Page, username: str) -> None:
    page.get_by_role("button", name=f"Manage {username}").click()
    page.get_by_test_id("user-form").wait_for()


def make_account(page: Page, username: str, proof: str) -> str:
    """The link for its owner."""
    page.get_by_test_id("new-user").click()
    form = page.get_by_test_id("user-form")
    form.get_by_label("Username").fill(username)
    form.get_by_label("First name").fill("Eva")
    form.get_by_label("Last name").fill("Kovač")
    form.get_by_label("Your password").fill(proof)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_test_id("password-link").inner_text()
    page.get_by_role("button", name="Done").click()
    return link


def set_password(page: Page, link: str, password: str) -> None:
    page.goto(link)
    expect(page.get_by_label("Username")).to_have_value("eva")
    page.get_by_role("textbox", name="New password").fill(password)
    page.get_by_role("textbox", name="Once more").fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password is set. Sign in with it.")).to_be_visible()


def test_somebody_new_sets_their_own_password_and_is_closed_out_again(
    demo: RunningDemo, browser: Browser, colleague: Page
) -> None:
    admin, proof = colleague, demo.credentials["admin"]["password"]
    account = {"username": "eva", "password": secrets.token_urlsafe(16)}
    open_administration(admin, "Users")
    link = make_account(admin, "eva", proof)
    row = admin.get_by_test_id("user-row").filter(has_text="Eva Kovač")
    expect(row).to_contain_text("Link until")

    with fresh_context(browser) as context, faultless_page(context) as page:
        set_password(page, link, account["password"])
        sign_in(page, demo.url, account)
        page.goto(f"{demo.url}/users")
        expect(page.get_by_text("You do not have permission to perform this action.")).to_be_visible()
        page.goto(link)
        expect(page.get_by_text("This link opens nothing")).to_be_visible()
        page.goto(demo.url)
        page.get_by_test_id("worklist-row").first.wait_for()

        admin.reload()
        expect(row).to_contain_text("Password")
        manage(admin, "eva")
        admin.get_by_role("button", name="Close the account …").click()
        admin.get_by_label("Your password").fill(proof)
        admin.keyboard.press("Enter")
        expect(row).to_contain_text("Closed")

        page.reload()
        page.get_by_label("Username").fill(account["username"])
        page.get_by_role("textbox", name="Password").fill(account["password"])
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The username or the password is not correct.")


def test_the_filter_is_in_the_address_and_nobody_manages_their_own_account(demo: RunningDemo, colleague: Page) -> None:
    page = colleague
    page.goto(f"{demo.url}/users?role=admin")
    page.get_by_role("button", name="Manage admin", exact=True).click()
    expect(page.get_by_test_id("user-row").filter(has_text="Neurologist")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_contain_text("another administrator manages")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Manage admin", exact=True)).to_be_focused()

    page.get_by_label("Role of the users listed").select_option("")
    page.get_by_label("Search users").fill("no such name")
    expect(page.get_by_text("No account is like this.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Search users")).to_have_value("no such name")
