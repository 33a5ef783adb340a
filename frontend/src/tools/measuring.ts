import type { Measure } from "../state/reading";
import { activeStack } from "../viewport/open_panes";
import type { Command } from "./command";

const MEASURE_KEYS: readonly { measure: Measure; key: string; title: string }[] = [
  { measure: "ruler", key: "Shift+d", title: "Measure a distance" },
  { measure: "angle", key: "Shift+a", title: "Measure an angle" },
  { measure: "probe", key: "Shift+q", title: "Value and position of a point" },
  { measure: "ellipse", key: "Shift+e", title: "Statistics of an ellipse" },
  { measure: "rectangle", key: "Shift+x", title: "Statistics of a rectangle" },
];

export const MEASURE_COMMANDS: readonly Command[] = [
  ...MEASURE_KEYS.map<Command>(({ measure, key, title }) => ({
    id: `measure.${measure}`, group: "Measuring", title, keys: [key], run: ({ reading }) => reading.chooseDragTool(measure),
  })),
  { id: "measure.delete", group: "Measuring", title: "Delete the selected or the last measurement", keys: ["Backspace"], run: () => activeStack()?.deleteMeasurement() },
  { id: "measure.clear", group: "Measuring", title: "Delete all measurements", keys: ["Shift+Backspace"], run: () => activeStack()?.clearMeasurements() },
];
