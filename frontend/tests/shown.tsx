/** A page in a document, and a server whose answers a test chooses; to be imported before what is shown. */
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { vi } from "vitest";

type Answer = unknown | ((request: Request) => unknown);

/** What the server answers to a method and path, as "GET /api/v1/me"; anything else is not found. */
export const answers = new Map<string, Answer>();
/** What it was asked, with the query of the address, the oldest first. */
export const asked: string[] = [];

/** The client keeps the fetch that it finds when it is made. */
globalThis.fetch = async (input, init) => {
  const request = input instanceof Request ? input : new Request(new URL(String(input), "http://localhost:3000"), init);
  const { pathname, search } = new URL(request.url);
  const named = `${request.method} ${pathname}`;
  asked.push(`${named}${search}`);
  if (!answers.has(named)) return Response.json({ title: "Not found" }, { status: 404 });
  const answer = answers.get(named);
  const body: unknown = typeof answer === "function" ? await answer(request) : answer;
  return body instanceof Response ? body : Response.json(body);
};

let root: Root | null = null;

/** The address that the page is at. */
export function address(): string {
  return window.location.pathname + window.location.search;
}

export async function show(page: ReactNode, client: QueryClient, path = "/"): Promise<void> {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  document.body.innerHTML = "<div></div>";
  window.history.replaceState(null, "", path);
  root = createRoot(document.body.firstElementChild as HTMLElement);
  await act(async () => root?.render(
    <QueryClientProvider client={client}>
      <MantineProvider><BrowserRouter>{page}</BrowserRouter></MantineProvider>
    </QueryClientProvider>,
  ));
}

export async function putAway(client: QueryClient): Promise<void> {
  await act(async () => root?.unmount());
  root = null;
  client.clear();
  answers.clear();
  asked.length = 0;
  vi.unstubAllGlobals();
}

export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`Waited 30 s in vain until ${what}; the page says ${document.body.textContent}`);
    // oxlint-disable-next-line no-await-in-loop
    await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
  }
}

/** The first button with these words. */
export function button(words: string): HTMLButtonElement {
  const found = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === words);
  if (!found) throw new Error(`No button says ${words}; the page says ${document.body.textContent}`);
  return found;
}

export async function press(words: string): Promise<void> {
  await act(async () => button(words).click());
}

/** The field with this label. */
export function field<Kind extends HTMLElement = HTMLInputElement>(label: string): Kind {
  const found = [...document.querySelectorAll("label")].find(({ textContent }) => textContent?.replace(" *", "") === label);
  const element = found ? document.getElementById(found.htmlFor) : document.querySelector(`[aria-label="${label}"]`);
  if (!element) throw new Error(`No field is called ${label}; the page says ${document.body.textContent}`);
  return element as Kind;
}

/** As a person types or chooses: what React keeps of the field's value hears of it. */
export async function fill(label: string, value: string): Promise<void> {
  const element = field<HTMLInputElement | HTMLSelectElement>(label);
  const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), "value")?.set;
  await act(async () => {
    set?.call(element, value);
    element.dispatchEvent(new Event(element.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
  });
}
