import {
  addTool, Enums, init, PanTool, StackScrollTool, store, ToolGroupManager, WindowLevelTool, ZoomTool, type Types,
} from "@cornerstonejs/tools";

import type { DragTool } from "../state/reading";
import type { ReadingStack } from "./reading_stack";

const { MouseBindings, KeyboardBindings } = Enums;

const TOOL_NAMES: Readonly<Record<DragTool, string>> = {
  window: WindowLevelTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  scroll: StackScrollTool.toolName,
};

/** Bindings that stay whatever the primary button does: middle pans, right zooms, as in other DICOM viewers. */
const FIXED_BINDINGS: Readonly<Record<DragTool, Types.IToolBinding[]>> = {
  window: [{ mouseButton: MouseBindings.Primary, modifierKey: KeyboardBindings.Alt }],
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
  pan: [{ mouseButton: MouseBindings.Auxiliary }, { mouseButton: MouseBindings.Primary, modifierKey: KeyboardBindings.Shift }],
  scroll: [{ numTouchPoints: 1 }],
};

let isStarted = false;

/** Starts the tools. They come after the first slice and have missed that its element was enabled, so they are told. */
function start({ element, viewportId, engineId: renderingEngineId }: ReadingStack): void {
  if (isStarted) return;
  isStarted = true;
  init();
  for (const tool of [WindowLevelTool, ZoomTool, PanTool, StackScrollTool]) addTool(tool);
  store.addEnabledElement({ detail: { element, viewportId, renderingEngineId } } as never);
}

/** Drags on one stack: the chosen tool on the primary button. Ends with `detach`. */
export class DragGestures {
  readonly #groupId: string;

  constructor(stack: ReadingStack) {
    start(stack);
    this.#groupId = `gestures-${stack.viewportId}`;
    const group = ToolGroupManager.createToolGroup(this.#groupId);
    for (const name of Object.values(TOOL_NAMES)) group?.addTool(name);
    group?.addViewport(stack.viewportId, stack.engineId);
  }

  choose(chosen: DragTool): void {
    const group = ToolGroupManager.getToolGroup(this.#groupId);
    for (const [tool, name] of Object.entries(TOOL_NAMES)) {
      const fixed = FIXED_BINDINGS[tool as DragTool];
      const bindings = tool === chosen ? [{ mouseButton: MouseBindings.Primary }, ...fixed] : fixed;
      group?.setToolPassive(name, { removeAllBindings: true });
      group?.setToolActive(name, { bindings });
    }
  }

  detach(): void {
    ToolGroupManager.destroyToolGroup(this.#groupId);
  }
}
