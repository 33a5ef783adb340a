import { expect, it, vi } from "vitest";

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

it.each([
  ["1980-06-15", "2026-06-15", "46 y"],
  ["1980-06-15", "1981-06-15", "1 y"],
  ["1980-06-15", "2026-05-31", "45 y"],
  ["1980-06-15", "2026-12-01", "46 y"],
  ["2000-02-29", "2027-02-28", "26 y"],
  ["2000-02-29", "2027-03-01", "27 y"],
  ["2026-06-15", "2026-06-15", "0 y"],
])("somebody born on %s is on %s %s old", (birthDate, day, age) => {
  expect(ageText(birthDate, day)).toBe(age);
});

it("an age without a day is that of today, where the reader is", () => {
  vi.useFakeTimers({ now: new Date(2026, 5, 15, 0, 30) });

  expect(ageText("1980-06-15", null)).toBe("46 y");
  expect(ageText("1980-06-16", null)).toBe("45 y");
  expect(ageText(null, null)).toBe("");
  vi.useRealTimers();
});

it("volumes keep three digits", () => {
  expect([volumeText(0.0141), volumeText(12.34)]).toEqual(["0.01", "12.3"]);
});
