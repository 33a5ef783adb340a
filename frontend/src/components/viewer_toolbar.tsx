import { useShallow } from "zustand/react/shallow";

import type { SliceStack } from "../server/types";
import { problemOfLayout, type Layout } from "../state/hanging";
import { useKeymap } from "../state/keymap";
import { usePanes, type LinkMode } from "../state/panes";
import { readNow, useReading, type DragTool, type Measure, type OverlayStyle } from "../state/reading";
import type { Command } from "../tools/command";
import { commandOf } from "../tools/commands";
import type { IconName } from "./icons";
import styles from "./viewer_toolbar.module.css";
import { HeatMenu, MeasureMenu, PresetMenu } from "./viewer_toolbar_menus";
import { keyText, Tool, ToolButton } from "./viewer_toolbar_tool";

const DRAG_ICONS: Readonly<Record<Exclude<DragTool, Measure>, IconName>> = { window: "contrast", zoom: "zoom", pan: "pan", scroll: "scroll" };

const LAYOUT_ICONS: Readonly<Record<Layout, IconName>> = { single: "single", prior: "beside", contrast: "besideContrast", three: "three", planes: "planes" };

const LINK_ICONS: Readonly<Record<LinkMode, IconName>> = { position: "link", slices: "linkSlices", free: "unlink" };

const LINK_TITLES: Readonly<Record<LinkMode, string>> = {
  position: "Panes go together by patient position", slices: "Panes go together slice by slice", free: "Each pane goes alone",
};

const STYLE_NAMES: Readonly<Record<OverlayStyle, string>> = { both: "fill and outline", outline: "outline", fill: "fill" };

interface ViewerToolbarProps {
  readonly slices: SliceStack | null;
  /** False while there is nothing to act on. */
  readonly isEnabled: boolean;
  run(command: Command): void;
  onKeys(): void;
}

interface RunProps {
  run(command: Command): void;
}

export function ViewerToolbar({ slices, isEnabled, run, onKeys }: ViewerToolbarProps) {
  useKeymap((keymap) => keymap.keys); // Tooltips name the keys that the reader chose.
  const dragTool = useReading((reading) => reading.dragTool);
  const isResultShown = usePanes((panes) => panes.isResultShown);
  return (
    <div className={styles.toolbar} role="toolbar" aria-label="Viewer">
      <fieldset className={styles.tools} disabled={!isEnabled}>
        {(Object.keys(DRAG_ICONS) as (keyof typeof DRAG_ICONS)[]).map((tool) => (
          <Tool key={tool} command={commandOf(`view.drag.${tool}`)} icon={DRAG_ICONS[tool]} isPressed={dragTool === tool} run={run} />
        ))}
        <MeasureMenu run={run} />
        <span className={styles.divider} aria-hidden />
        <PresetMenu slices={slices} run={run} />
        <Tool command={commandOf("window.auto")} icon="auto" run={run} />
        <Tool command={commandOf("view.reset")} icon="reset" run={run} />
        <span className={styles.divider} aria-hidden />
        <OverlayTools run={run} />
        <span className={styles.divider} aria-hidden />
        <PaneTools run={run} />
      </fieldset>
      <ToolButton label="Keys and mouse" keyName={keyText(commandOf("room.keys"))} icon="keyboard" onClick={onKeys} />
      <Tool command={commandOf("room.result")} icon="panelRight" isPressed={isResultShown} run={run} />
    </div>
  );
}

function OverlayTools({ run }: RunProps) {
  const { isShown, isBrainShown, style } = useReading((reading) => reading.overlay);
  const toggle = () => readNow().changeOverlay({ isShown: !isShown });
  const all = commandOf("overlay.all");
  const styleCommand = commandOf("overlay.style");
  return (
    <>
      <ToolButton label={all.title} keyName={keyText(all)} icon={isShown ? "eye" : "eyeOff"} isPressed={isShown} onClick={toggle} />
      <ToolButton label={`Overlay: ${STYLE_NAMES[style]}`} keyName={keyText(styleCommand)} icon="style" onClick={() => run(styleCommand)} />
      <Tool command={commandOf("overlay.brain")} icon="brain" isPressed={isBrainShown} run={run} />
      <HeatMenu />
    </>
  );
}

function PaneTools({ run }: RunProps) {
  const { layout, hangable, linkMode, isChangeView, hasChanges, areThumbnailsShown } = usePanes(
    useShallow(({ layout, hangable, linkMode, isChangeView, changes, areThumbnailsShown }) => ({
      layout, hangable, linkMode, isChangeView, hasChanges: changes !== null, areThumbnailsShown,
    })),
  );
  const shown = (Object.keys(LAYOUT_ICONS) as Layout[]).filter((candidate) => candidate !== "three" || (hangable.hasPrior && hangable.hasPostContrast));
  return (
    <>
      {shown.filter((candidate) => candidate !== "contrast" || hangable.hasPostContrast).map((candidate) => (
        <Tool
          key={candidate} command={commandOf(`panes.${candidate}`)} icon={LAYOUT_ICONS[candidate]} isPressed={layout === candidate}
          problem={problemOfLayout(candidate, hangable)} run={run}
        />
      ))}
      {layout !== "single" && layout !== "planes" && (
        <ToolButton
          label={LINK_TITLES[linkMode]} keyName={keyText(commandOf("panes.link"))} icon={LINK_ICONS[linkMode]} isPressed={linkMode === "position"}
          onClick={() => run(commandOf("panes.link"))}
        />
      )}
      {hangable.hasPrior && (
        <Tool
          command={commandOf("changes.view")} icon="changes" isPressed={isChangeView} run={run}
          problem={hasChanges ? null : "Changes since the prior: both studies must have been read and registered first."}
        />
      )}
      <Tool command={commandOf("panes.thumbnails")} icon="film" isPressed={areThumbnailsShown} run={run} />
    </>
  );
}
