import { ActionIcon, Menu, Popover, Slider, Switch, Tooltip, UnstyledButton } from "@mantine/core";
import { use } from "react";

import { applyPreset, WINDOW_PRESETS, type GrayWindow } from "../geometry/windowing";
import type { SliceStack } from "../server/types";
import { paneStore, usePanes } from "../state/panes";
import { MEASURES, readNow, useReading, type DragTool, type Measure } from "../state/reading";
import type { Command } from "../tools/command";
import { commandOf } from "../tools/commands";
import { useOpenPanes } from "../viewport/open_panes";
import { percentText } from "./formats";
import { Icon, type IconName } from "./icons";
import { Settled } from "./settled";
import styles from "./viewer_toolbar.module.css";
import { keyText } from "./viewer_toolbar_tool";

interface RunProps {
  run(command: Command): void;
}

/** Windows by name, of the pane that keys act on. */
export function PresetMenu({ slices, run }: RunProps & { slices: SliceStack | null }) {
  const active = usePanes((panes) => panes.activePane);
  const window = paneStore(active)((shown) => shown.window);
  const series = useOpenPanes(({ stacks }) => stacks[active]?.slices) ?? slices;
  if (!use(Settled)) return <span className={styles.place} data-wide />;
  const current = series && window ? presetNameOf(series.window, window) : "Window";
  return (
    <Menu shadow="md" width={210}>
      <Menu.Target>
        <UnstyledButton className={styles.textTool} data-wide>{current}<Icon name="down" size={12} /></UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {WINDOW_PRESETS.map(({ key, name }) => <CommandItem key={key} id={`window.preset.${key}`} title={name} run={run} />)}
        <CommandItem id="window.auto" title="By this slice" run={run} />
        <CommandItem id="window.invert" title="Inverted" run={run} />
      </Menu.Dropdown>
    </Menu>
  );
}

function CommandItem({ id, title, icon, run }: RunProps & { id: string; title?: string; icon?: IconName }) {
  const command = commandOf(id);
  return (
    <Menu.Item
      leftSection={icon ? <Icon name={icon} size={15} /> : undefined}
      rightSection={<span className={styles.key}>{keyText(command)}</span>}
      onClick={() => run(command)}
    >
      {title ?? command.title}
    </Menu.Item>
  );
}

const MEASURE_ICONS: Readonly<Record<Measure, IconName>> = { ruler: "ruler", angle: "angle", probe: "probe", ellipse: "ellipse", rectangle: "rectangle" };

const isMeasure = (tool: DragTool): tool is Measure => (MEASURES as readonly string[]).includes(tool);

export function MeasureMenu({ run }: RunProps) {
  const dragTool = useReading((reading) => reading.dragTool);
  const chosen = isMeasure(dragTool) ? dragTool : null;
  if (!use(Settled)) return <span className={styles.place} />;
  return (
    <Menu shadow="md" width={300}>
      <Tooltip label="Measure">
        <Menu.Target>
          <ActionIcon size={30} className={styles.tool} aria-label="Measure" data-pressed={chosen !== null || undefined}>
            <Icon name={chosen ? MEASURE_ICONS[chosen] : "ruler"} size={17} />
          </ActionIcon>
        </Menu.Target>
      </Tooltip>
      <Menu.Dropdown>
        {MEASURES.map((measure) => <CommandItem key={measure} id={`measure.${measure}`} icon={MEASURE_ICONS[measure]} run={run} />)}
        <Menu.Divider />
        <CommandItem id="measure.delete" icon="trash" run={run} />
        <CommandItem id="measure.clear" run={run} />
      </Menu.Dropdown>
    </Menu>
  );
}

/** The heat map of the probability, and from which probability on it is drawn. */
export function HeatMenu() {
  const { isHeatShown, heatThreshold } = useReading((reading) => reading.overlay);
  if (!use(Settled)) return <span className={styles.place} />;
  return (
    <Popover shadow="md" width={280} position="bottom">
      <Tooltip label={`Probability as a heat map  (${keyText(commandOf("overlay.heat"))})`}>
        <Popover.Target>
          <ActionIcon size={30} className={styles.tool} aria-label="Probability as a heat map" data-pressed={isHeatShown || undefined}>
            <Icon name="heat" size={17} />
          </ActionIcon>
        </Popover.Target>
      </Tooltip>
      <Popover.Dropdown className={styles.heat}>
        <Switch
          label="Predicted probability of plaque" checked={isHeatShown}
          onChange={(event) => readNow().changeOverlay({ isHeatShown: event.currentTarget.checked })}
        />
        <div className={styles.ramp} aria-hidden />
        <div className={styles.rampEnds} aria-hidden><span>0 %</span><span>100 %</span></div>
        <label className={styles.threshold} htmlFor="heat-threshold">{`Drawn from ${percentText(heatThreshold)} on`}</label>
        <Slider
          id="heat-threshold" thumbLabel="Least probability that is drawn" min={0.01} max={0.99} step={0.01} value={heatThreshold} label={percentText}
          onChange={(threshold) => readNow().changeOverlay({ heatThreshold: threshold, isHeatShown: true })}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

/** The preset that is on the screen, as far as a reader could tell the difference. */
function presetNameOf(series: GrayWindow, shown: GrayWindow): string {
  const isShown = ({ center, width }: GrayWindow) =>
    Math.abs(center - shown.center) < series.width * 0.01 && Math.abs(width - shown.width) < series.width * 0.01;
  return WINDOW_PRESETS.find((preset) => isShown(applyPreset(series, preset)))?.name ?? "Own window";
}
