import {
  addTool, AngleTool, annotation, EllipticalROITool, Enums, init, LengthTool, PanTool, ProbeTool, RectangleROITool, StackScrollTool, store,
  ToolGroupManager, WindowLevelTool, ZoomTool, type Types,
} from "@cornerstonejs/tools";

import { MEASURES, type DragTool, type Measure } from "../state/reading";
import { ENGINE_ID, sharedEngine } from "./cornerstone";
import { pixelAt } from "./loaded_slices";
import { MEASURE_STYLE, TEXT_LINES, type Lines } from "./measure_text";
import type { Measuring, ReadingStack } from "./reading_stack";

const { MouseBindings, KeyboardBindings } = Enums;

const TOOL_NAMES: Readonly<Record<DragTool, string>> = {
  window: WindowLevelTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  scroll: StackScrollTool.toolName,
  ruler: LengthTool.toolName,
  angle: AngleTool.toolName,
  probe: ProbeTool.toolName,
  ellipse: EllipticalROITool.toolName,
  rectangle: RectangleROITool.toolName,
};

/** Bindings that stay whatever the primary button does: middle pans, right zooms, as in other DICOM viewers. */
const FIXED_BINDINGS: Readonly<Record<Exclude<DragTool, Measure>, Types.IToolBinding[]>> = {
  window: [{ mouseButton: MouseBindings.Primary, modifierKey: KeyboardBindings.Alt }],
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
  pan: [{ mouseButton: MouseBindings.Auxiliary }, { mouseButton: MouseBindings.Primary, modifierKey: KeyboardBindings.Shift }],
  scroll: [{ numTouchPoints: 1 }],
};

let isStarted = false;

/** Starts the tools. They come after the first slice and have missed which elements were enabled, so they are told. */
function start(): void {
  if (isStarted) return;
  isStarted = true;
  init();
  const tools = [WindowLevelTool, ZoomTool, PanTool, StackScrollTool, LengthTool, AngleTool, ProbeTool, EllipticalROITool, RectangleROITool];
  for (const tool of tools) addTool(tool);
  const { style } = annotation.config;
  style.setDefaultToolStyles({ ...style.getDefaultToolStyles(), global: { ...style.getDefaultToolStyles().global, ...MEASURE_STYLE } });
  for (const { element, id: viewportId } of sharedEngine().getViewports()) {
    store.addEnabledElement({ detail: { element, viewportId, renderingEngineId: ENGINE_ID } } as never);
  }
}

/** Drags on one stack: the chosen tool on the primary button. Ends with `detach`. */
export class DragGestures implements Measuring {
  readonly #groupId: string;

  constructor(private readonly stack: ReadingStack) {
    start();
    this.#groupId = `gestures-${stack.viewportId}`;
    const group = ToolGroupManager.createToolGroup(this.#groupId);
    for (const [tool, name] of Object.entries(TOOL_NAMES)) {
      group?.addTool(name, isMeasure(tool) ? { getTextLines: tool === "probe" ? probeLines : TEXT_LINES[tool], preventHandleOutsideImage: true } : {});
    }
    group?.addViewport(stack.viewportId, stack.engineId);
    stack.measuring = this;
  }

  choose(chosen: DragTool): void {
    const group = ToolGroupManager.getToolGroup(this.#groupId);
    for (const [tool, name] of Object.entries(TOOL_NAMES)) {
      const fixed = isMeasure(tool) ? [] : FIXED_BINDINGS[tool as keyof typeof FIXED_BINDINGS];
      const bindings = tool === chosen ? [{ mouseButton: MouseBindings.Primary }, ...fixed] : fixed;
      group?.setToolPassive(name, { removeAllBindings: true });
      if (bindings.length > 0) group?.setToolActive(name, { bindings });
    }
    this.stack.element.dataset["drag"] = chosen;
  }

  /** Measurements on the slices of this stack, in the order in which they were made. */
  get #measurements() {
    const own = new Set(this.stack.imageIds);
    return annotation.state.getAllAnnotations().filter(({ metadata }) => own.has(metadata?.referencedImageId ?? ""));
  }

  deleteOne(): void {
    const measurements = this.#measurements;
    const selected = new Set(annotation.selection.getAnnotationsSelected());
    const found = measurements.find(({ annotationUID }) => selected.has(annotationUID ?? "")) ?? measurements.at(-1);
    this.#remove(found ? [found] : []);
  }

  clear(): void {
    this.#remove(this.#measurements);
  }

  #remove(measurements: readonly { annotationUID?: string }[]): void {
    for (const { annotationUID } of measurements) if (annotationUID) annotation.state.removeAnnotation(annotationUID);
    this.stack.redraw();
  }

  detach(): void {
    if (this.stack.measuring === this) this.stack.measuring = null;
    ToolGroupManager.destroyToolGroup(this.#groupId);
  }
}

/** Cornerstone looks for the value as if one image held the whole stack and finds none; it is taken from the slice itself. */
const probeLines: Lines = ({ cachedStats, handles }, target) => {
  const [column = 0, row = 0] = Array.from(cachedStats[target]?.index ?? []);
  const value = pixelAt(target.replace("imageId:", ""), row, column);
  return TEXT_LINES.probe({ cachedStats: { [target]: { value } }, handles }, target);
};

function isMeasure(tool: string): tool is Measure {
  return (MEASURES as readonly string[]).includes(tool);
}
