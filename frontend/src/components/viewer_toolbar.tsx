import { ActionIcon, Menu, Tooltip, UnstyledButton } from "@mantine/core";

import { applyPreset, WINDOW_PRESETS, type GrayWindow } from "../geometry/windowing";
import type { SliceStack } from "../server/types";
import { readNow, useReading, type DragTool, type OverlayStyle } from "../state/reading";
import type { Command } from "../tools/command";
import { commandOf } from "../tools/commands";
import { Icon, type IconName } from "./icons";
import styles from "./viewer_toolbar.module.css";

const DRAG_ICONS: Readonly<Record<DragTool, IconName>> = { window: "contrast", zoom: "zoom", pan: "pan", scroll: "scroll" };

const STYLE_NAMES: Readonly<Record<OverlayStyle, string>> = { both: "Fill and outline", outline: "Outline", fill: "Fill" };

interface ViewerToolbarProps {
  readonly slices: SliceStack | null;
  /** False while there is nothing to act on. */
  readonly isEnabled: boolean;
  run(command: Command): void;
  onKeys(): void;
}

export function ViewerToolbar({ slices, isEnabled, run, onKeys }: ViewerToolbarProps) {
  const dragTool = useReading((reading) => reading.dragTool);
  const { isShown, isBrainShown, style } = useReading((reading) => reading.overlay);
  const toggleOverlay = () => readNow().changeOverlay({ isShown: !isShown });
  return (
    <div className={styles.toolbar} role="toolbar" aria-label="Viewer">
      <fieldset className={styles.tools} disabled={!isEnabled}>
      {(Object.keys(DRAG_ICONS) as DragTool[]).map((tool) => (
        <Tool key={tool} command={commandOf(`view.drag.${tool}`)} icon={DRAG_ICONS[tool]} isPressed={dragTool === tool} run={run} />
      ))}
      <span className={styles.divider} aria-hidden />
      <PresetMenu slices={slices} run={run} />
      <Tool command={commandOf("window.auto")} icon="auto" run={run} />
      <Tool command={commandOf("view.reset")} icon="reset" run={run} />
      <span className={styles.divider} aria-hidden />
      <ToolButton label="All lesions on or off; hold O to look below" keyName="O" icon={isShown ? "eye" : "eyeOff"} isPressed={isShown} onClick={toggleOverlay} />
      <ToolButton
        label={`Overlay: ${STYLE_NAMES[style].toLowerCase()}`} keyName="F" icon="style"
        onClick={() => run(commandOf("overlay.style"))} text={STYLE_NAMES[style]}
      />
      <Tool command={commandOf("overlay.brain")} icon="brain" isPressed={isBrainShown} run={run} />
      </fieldset>
      <ToolButton label="Keys and mouse" keyName="?" icon="keyboard" onClick={onKeys} />
    </div>
  );
}

interface ToolProps {
  readonly command: Command;
  readonly icon: IconName;
  readonly isPressed?: boolean;
  run(command: Command): void;
}

function Tool({ command, icon, isPressed, run }: ToolProps) {
  return <ToolButton label={command.title} keyName={command.keys[0]?.toUpperCase() ?? ""} icon={icon} isPressed={isPressed} onClick={() => run(command)} />;
}

interface ToolButtonProps {
  readonly label: string;
  readonly keyName: string;
  readonly icon: IconName;
  readonly text?: string;
  readonly isPressed?: boolean | undefined;
  onClick(): void;
}

function ToolButton({ label, keyName, icon, text, isPressed, onClick }: ToolButtonProps) {
  const hint = `${label}  (${keyName})`;
  const button = text ? (
    <UnstyledButton className={styles.textTool} onClick={onClick} aria-label={label}>
      <Icon name={icon} />
      {text}
    </UnstyledButton>
  ) : (
    <ActionIcon size={30} onClick={onClick} aria-label={label} aria-pressed={isPressed} data-pressed={isPressed || undefined} className={styles.tool}>
      <Icon name={icon} size={17} />
    </ActionIcon>
  );
  return <Tooltip label={hint}>{button}</Tooltip>;
}

function PresetMenu({ slices, run }: { slices: SliceStack | null; run: (command: Command) => void }) {
  const window = useReading((reading) => reading.window);
  const current = slices && window ? presetNameOf(slices.window, window) : "Window";
  return (
    <Menu shadow="md" width={210}>
      <Menu.Target>
        <UnstyledButton className={styles.textTool} data-wide >{current}<Icon name="down" size={12} /></UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {WINDOW_PRESETS.map(({ key, name }) => (
          <Menu.Item key={key} rightSection={<span className={styles.key}>{key}</span>} onClick={() => run(commandOf(`window.preset.${key}`))}>{name}</Menu.Item>
        ))}
        <Menu.Item rightSection={<span className={styles.key}>0</span>} onClick={() => run(commandOf("window.auto"))}>By this slice</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The preset that is on the screen, as far as a reader could tell the difference. */
function presetNameOf(series: GrayWindow, shown: GrayWindow): string {
  const isShown = ({ center, width }: GrayWindow) =>
    Math.abs(center - shown.center) < series.width * 0.01 && Math.abs(width - shown.width) < series.width * 0.01;
  return WINDOW_PRESETS.find((preset) => isShown(applyPreset(series, preset)))?.name ?? "Own window";
}
