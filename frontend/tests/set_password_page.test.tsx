// @vitest-environment happy-dom
import { answers, putAway, show, until } from "./shown";

import { act } from "react";
import { Link, Route, Routes } from "react-router";
import { afterEach, expect, it } from "vitest";

import { SetPasswordPage } from "../src/pages/set_password_page";
import { queryClient } from "../src/state/queries";

const RESET = "GET /_allauth/browser/v1/auth/password/reset";

afterEach(() => putAway(queryClient));

it("a link opened in the tab of one that has ended is looked at", async () => {
  answers.set(RESET, Response.json({ status: 400, errors: [{ message: "Used.", code: "invalid_password_reset" }] }, { status: 400 }));
  await show(<Routes><Route path="/set-password" element={<><Link to="#good">Next</Link><SetPasswordPage /></>} /></Routes>, queryClient, "/set-password#used");
  await until(() => document.body.textContent.includes("This link opens nothing"), "the used link was told of");

  answers.set(RESET, { status: 200, data: { user: { username: "eva" } } });
  await act(async () => document.querySelector<HTMLAnchorElement>("a[href$='#good']")?.click());

  await until(() => document.querySelector<HTMLInputElement>("[name=username]")?.value === "eva", "the good link was looked at");
  expect(document.body.textContent).not.toContain("This link opens nothing");
});
