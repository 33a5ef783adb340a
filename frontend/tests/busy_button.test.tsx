// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { AlertBar } from "../src/components/alert_bar";
import { BusyButton } from "../src/components/busy_button";
import { useKeptPlace } from "../src/components/kept_place";
import { UploadDock } from "../src/components/upload_dock";
import { useUploading } from "../src/state/uploading";

let root: Root;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  document.body.innerHTML = "<div></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

/** The page, after whatever waits for the end of the drawing. */
async function show(page: ReactNode): Promise<void> {
  await act(async () => root.render(<MantineProvider>{page}</MantineProvider>));
}

function button(): HTMLButtonElement {
  return document.querySelector("button") as HTMLButtonElement;
}

test.each([{ isBusy: true }, { disabled: true }])("a button that is off takes no press and keeps the focus: %o", async (off) => {
  const onClick = vi.fn();
  await show(<BusyButton onClick={onClick}>Save</BusyButton>);
  button().focus();

  await show(<BusyButton onClick={onClick} {...off}>Save</BusyButton>);
  button().click();

  expect(onClick).not.toHaveBeenCalled();
  expect(button().disabled).toBe(false);
  expect(button().getAttribute("aria-disabled")).toBe("true");
  expect(document.activeElement).toBe(button());
});

test("a button whose work is done takes the next press", async () => {
  const onClick = vi.fn();
  await show(<BusyButton isBusy onClick={onClick}>Save</BusyButton>);

  await show(<BusyButton onClick={onClick}>Save</BusyButton>);
  button().click();

  expect(onClick).toHaveBeenCalledOnce();
  expect(button().hasAttribute("aria-disabled")).toBe(false);
});

test("a busy button says the same words", async () => {
  await show(<BusyButton isBusy>Save</BusyButton>);

  expect(button().textContent).toBe("Save");
});

test.each([{ isBusy: true }, { disabled: true }])("a form whose button is off is not sent: %o", async (off) => {
  const onSubmit = vi.fn((event: { preventDefault(): void }) => event.preventDefault());
  await show(<form onSubmit={onSubmit}><BusyButton type="submit" {...off}>Save</BusyButton></form>);
  button().click();
  expect(onSubmit).not.toHaveBeenCalled();

  await show(<form onSubmit={onSubmit}><BusyButton type="submit">Save</BusyButton></form>);
  button().click();
  expect(onSubmit).toHaveBeenCalledOnce();
});

test("a button that goes leaves the focus to its place, which Tab does not stop at later", async () => {
  await show(<main><section aria-label="Review"><BusyButton>Approve</BusyButton></section></main>);
  button().focus();

  await show(<main><section aria-label="Review">Approved</section></main>);

  const section = document.querySelector("section") as HTMLElement;
  expect(document.activeElement).toBe(section);
  section.blur();
  expect(section.hasAttribute("tabindex")).toBe(false);
});

test("a button whose row goes too leaves the focus to the table", async () => {
  const table = (rows: readonly string[]) => (
    <main tabIndex={-1}><table><tbody>{rows.map((row) => <tr key={row}><td><BusyButton>{`End ${row}`}</BusyButton></td></tr>)}</tbody></table></main>
  );
  await show(table(["first", "second"]));
  button().focus();

  await show(table(["second"]));
  expect(document.activeElement?.tagName).toBe("TABLE");
  button().focus();

  await show(<main tabIndex={-1}>Nothing is left.</main>);
  expect(document.activeElement?.tagName).toBe("MAIN");
});

test("a button that goes takes the focus from nothing that has it", async () => {
  await show(<section><BusyButton>New</BusyButton></section>);
  button().focus();

  await show(<section><input autoFocus aria-label="Name" /></section>);

  expect(document.activeElement?.tagName).toBe("INPUT");
});

test("a button that goes without the focus leaves it where it is", async () => {
  await show(<section><input aria-label="Name" /><BusyButton>New</BusyButton></section>);
  document.querySelector("input")?.focus();

  await show(<section><input aria-label="Name" /></section>);

  expect(document.activeElement?.tagName).toBe("INPUT");
});

test("a form that goes while one of its fields has the focus leaves it to its place", async () => {
  function Form() {
    return <form ref={useKeptPlace<HTMLFormElement>()}><input aria-label="Name" /></form>;
  }
  await show(<section><Form /></section>);
  document.querySelector("input")?.focus();

  await show(<section>Done</section>);

  expect(document.activeElement?.tagName).toBe("SECTION");
});

test("a bar of the header that goes once it was answered leaves the focus to the page below", async () => {
  const onAct = vi.fn();
  const bar = <AlertBar role="status" text="Connection lost." action="Connect now" testId="bar" onAct={onAct} />;
  await show(<><header>{bar}</header><main tabIndex={-1}>Worklist</main></>);
  button().focus();
  button().click();
  expect(onAct).toHaveBeenCalledOnce();

  await show(<><header /><main tabIndex={-1}>Worklist</main></>);

  expect(document.activeElement?.tagName).toBe("MAIN");
});

test("the report of an upload that is dismissed leaves the focus to the page", async () => {
  useUploading.setState({ phase: "done", fileCount: 1 });
  await show(<MemoryRouter><main tabIndex={-1}>Worklist</main><UploadDock /></MemoryRouter>);
  button().focus();

  await act(async () => button().click());

  expect(document.querySelector("[data-testid='upload-dock']")).toBeNull();
  expect(document.activeElement?.tagName).toBe("MAIN");
});
