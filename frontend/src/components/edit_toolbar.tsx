import { ActionIcon, SegmentedControl, Slider, Tooltip } from "@mantine/core";
import { Fragment, use, type ReactNode } from "react";
import { useShallow } from "zustand/react/shallow";

import { LESION_CLASSES, type LesionClass } from "../geometry/labels";
import type { Drafting } from "../state/drafting";
import { editNow, LARGEST_BRUSH_MM, SMALLEST_BRUSH_MM, useEditing, type EditingTool } from "../state/editing";
import type { Command } from "../tools/command";
import { commandOf } from "../tools/commands";
import { CLASS_NAMES, ClassMark } from "./class_mark";
import styles from "./edit_toolbar.module.css";
import { Icon, type IconName } from "./icons";
import { percentText } from "./formats";
import { useKeyHint } from "./key_hint";
import { Settled } from "./settled";

interface Entry {
  readonly command: string;
  readonly icon: IconName;
  /** Pressed while this tool is chosen. */
  readonly tool?: EditingTool;
}

const GROUPS: readonly (readonly Entry[])[] = [
  [
    { command: "lesion.turn", icon: "turn" },
    { command: "lesion.confirm", icon: "check" },
    { command: "lesion.refute", icon: "refute" },
    { command: "lesion.delete", icon: "trash" },
  ],
  [
    { command: "edit.brush", icon: "brush", tool: "brush" },
    { command: "edit.eraser", icon: "eraser", tool: "eraser" },
    { command: "edit.threshold_brush", icon: "wand", tool: "threshold_brush" },
    { command: "edit.grow", icon: "grow", tool: "grow" },
  ],
  [
    { command: "edit.split", icon: "split", tool: "split" },
    { command: "lesion.join", icon: "join" },
    { command: "lesion.fill", icon: "fill" },
    { command: "edit.copy_before", icon: "copy" },
    { command: "edit.between", icon: "between" },
  ],
];

interface EditToolbarProps {
  readonly drafting: Pick<Drafting, "canEdit" | "canUndo" | "canRedo">;
  /** The slices are on the screen: nothing is corrected unseen. */
  readonly isSeen: boolean;
  run(command: Command): void;
}

/** Every correction beside the slices, by mouse what the keys do. */
export function EditToolbar({ drafting, isSeen, run }: EditToolbarProps) {
  const chosen = useEditing((editing) => editing.tool);
  const { canUndo, canRedo } = drafting;
  const canEdit = drafting.canEdit && isSeen;
  return (
    <div className={styles.toolbar} role="toolbar" aria-label="Correcting" aria-orientation="vertical" data-testid="edit-toolbar">
      {GROUPS.map((entries, order) => (
        <Fragment key={entries[0]?.command}>
          {order > 0 && <span className={styles.divider} aria-hidden />}
          {entries.map((entry) => (
            <EditTool key={entry.command} entry={entry} isEnabled={canEdit} isPressed={entry.tool && entry.tool === chosen} run={run} />
          ))}
        </Fragment>
      ))}
      <span className={styles.divider} aria-hidden />
      <EditTool entry={{ command: "edit.undo", icon: "undo" }} isEnabled={canEdit && canUndo} run={run} />
      <EditTool entry={{ command: "edit.redo", icon: "redo" }} isEnabled={canEdit && canRedo} run={run} />
    </div>
  );
}

interface EditToolProps {
  readonly entry: Entry;
  readonly isEnabled: boolean;
  readonly isPressed?: boolean | undefined;
  run(command: Command): void;
}

function EditTool({ entry, isEnabled, isPressed, run }: EditToolProps) {
  const command = commandOf(entry.command);
  const hint = useKeyHint(command);
  if (!use(Settled)) return <span className={styles.place} />;
  return (
    <Tooltip label={hint} position="right">
      <ActionIcon
        size={30} className={styles.tool} onClick={() => isEnabled && run(command)} aria-disabled={!isEnabled || undefined} data-disabled={!isEnabled || undefined} aria-label={command.title}
        aria-pressed={entry.tool ? Boolean(isPressed) : undefined} data-pressed={isPressed || undefined} data-command={entry.command}
      >
        <Icon name={entry.icon} size={17} />
      </ActionIcon>
    </Tooltip>
  );
}

const TOOL_TEXTS: Readonly<Record<Exclude<EditingTool, "none">, string>> = {
  brush: "Draw",
  eraser: "Erase",
  threshold_brush: "Draw by brightness",
  grow: "Click a bright spot",
  split: "Draw a line across a lesion",
};

/** Without the pointer, which moves all the time. */
function settingsOf({ tool, brushClass, sizeMm, tolerance }: ReturnType<typeof editNow>) {
  return { tool, brushClass, sizeMm, tolerance };
}

/** How the chosen tool is set; nothing while none is. */
export function ToolOptions() {
  const { tool, brushClass, sizeMm, tolerance } = useEditing(useShallow(settingsOf));
  if (tool === "none") return null;
  const isSized = tool === "brush" || tool === "eraser" || tool === "threshold_brush";
  return (
    <div className={styles.options} role="group" aria-label="Tool" data-testid="tool-options">
      <span className={styles.name}>{TOOL_TEXTS[tool]}</span>
      {tool !== "eraser" && tool !== "split" && <ClassChoice value={brushClass} />}
      {isSized && (
        <Setting label="Size" text={`${sizeMm} mm`}>
          <Slider
            className={styles.slider} size="xs" min={SMALLEST_BRUSH_MM} max={LARGEST_BRUSH_MM / 2} step={0.5} value={sizeMm} label={null}
            onChange={(value) => editNow().resize(value)} thumbLabel="Brush size in mm"
          />
        </Setting>
      )}
      {(tool === "threshold_brush" || tool === "grow") && (
        <Setting label="Tolerance" text={percentText(tolerance)}>
          <Slider
            className={styles.slider} size="xs" min={0.02} max={0.5} step={0.01} value={tolerance} label={null}
            onChange={(value) => editNow().setTolerance(value)} thumbLabel="Tolerance of brightness, as a share of the window"
          />
        </Setting>
      )}
      <ActionIcon size={22} onClick={() => editNow().chooseTool("none")} aria-label="Put the tool away (Esc)">
        <Icon name="close" size={13} />
      </ActionIcon>
    </div>
  );
}

function ClassChoice({ value }: { value: LesionClass }) {
  const choices = LESION_CLASSES.map((lesionClass) => ({
    value: lesionClass,
    label: <span className={styles.choice}><ClassMark lesionClass={lesionClass} size={12} />{CLASS_NAMES[lesionClass]}</span>,
  }));
  return <SegmentedControl size="xs" data={choices} value={value} onChange={(chosen) => editNow().chooseClass(chosen)} aria-label="Class that is drawn" />;
}

function Setting({ label, text, children }: { label: string; text: string; children: ReactNode }) {
  return (
    <span className={styles.setting}>
      <span>{label}</span>
      {children}
      <span className={styles.value}>{text}</span>
    </span>
  );
}
