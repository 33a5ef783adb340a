import { expect, it } from "vitest";

import { ageText, nameText, sliceRangeText, volumeText } from "../src/components/formats";

it.each([
  [[6, 7, 8, 11], "7–9, 12"],
  [[3], "4"],
  [[2, 0, 1], "1–3"],
  [[], ""],
])("slices %j are counted from 1 as %s", (indices, text) => {
  expect(sliceRangeText(indices)).toBe(text);
});

it.each([
  ["Doe^Jane^^Dr", "Doe, Jane"],
  ["Doe", "Doe"],
  ["", "No name"],
])("the DICOM name %s is spoken as %s", (name, text) => {
  expect(nameText(name)).toBe(text);
});

it("an age is that of the day of the study", () => {
  expect(ageText("1980-06-15", "2026-06-14")).toBe("45 y");
  expect(ageText("1980-06-15", "2026-06-16")).toBe("46 y");
});

it("volumes keep three digits", () => {
  expect([volumeText(0.0141), volumeText(12.34)]).toEqual(["0.01", "12.3"]);
});
