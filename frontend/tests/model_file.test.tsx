// @vitest-environment happy-dom
import { putAway, show } from "./shown";

import { act } from "react";
import { afterEach, expect, it } from "vitest";

import { ModelImport } from "../src/components/model_file";
import { queryClient } from "../src/state/queries";

afterEach(() => putAway(queryClient));

it("a model that was refused can be chosen again", async () => {
  await show(<ModelImport />, queryClient);
  const input = document.querySelector("input[type=file]") as HTMLInputElement;
  const file = new File(["model"], "a.pvmodel");
  const written: string[] = [];
  Object.defineProperty(input, "files", { get: () => [file], configurable: true });
  Object.defineProperty(input, "value", { get: () => "a.pvmodel", set(value: string) {
    written.push(value);
  }, configurable: true });

  await act(async () => input.dispatchEvent(new Event("change", { bubbles: true })));

  expect(written).toEqual([""]);
});
