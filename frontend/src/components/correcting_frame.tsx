import { useEffect, useEffectEvent, useRef, type ReactNode } from "react";

import type { Drafting } from "../state/drafting";
import { editNow, useEditing } from "../state/editing";
import { useReading } from "../state/reading";
import { strokesOf } from "../tools/brushing";
import type { Command, CommandContext } from "../tools/command";
import type { BrushGesture } from "../viewport/brush_gesture";
import type { ReadingStack } from "../viewport/reading_stack";
import { AdviceLine } from "./advice_line";
import { ConflictDialog } from "./conflict_dialog";
import styles from "./correcting_frame.module.css";
import { EditToolbar, ToolOptions } from "./edit_toolbar";
import { LesionQuestionDialog } from "./lesion_question";

interface CorrectingFrameProps {
  readonly drafting: Drafting;
  /** The study's own pane, the only one that is drawn on; null while it is not open. */
  readonly stack: ReadingStack | null;
  contextNow(): CommandContext;
  run(command: Command): void;
  readonly children: ReactNode;
}

/** The slices with everything that corrects what is marked on them. */
export function CorrectingFrame({ drafting, stack, contextNow, run, children }: CorrectingFrameProps) {
  useStrokes(stack, contextNow);
  useToolPutAway();
  const { conflict, labels } = drafting;
  return (
    <div className={styles.frame}>
      <EditToolbar drafting={drafting} isSeen={stack !== null} run={run} />
      <div className={styles.slices}>
        {children}
        <ToolOptions />
        <AdviceLine />
        {conflict && labels && stack && <ConflictDialog conflict={conflict} grid={stack.grid} onResolve={drafting.resolve} />}
      </div>
      <LesionQuestionDialog contextNow={contextNow} />
    </div>
  );
}

/** Drags on the study's own pane go to the chosen tool. The gesture comes after the first slice. */
function useStrokes(stack: ReadingStack | null, contextNow: () => CommandContext): void {
  const gesture = useRef<BrushGesture>(null);
  const context = useEffectEvent(contextNow);
  useEffect(() => {
    if (!stack) return;
    let isStale = false;
    void import("../viewport/brush_gesture").then(({ BrushGesture: Gesture }) => {
      if (!isStale) gesture.current = new Gesture(stack, strokesOf(() => context()));
    });
    return () => {
      isStale = true;
      gesture.current?.detach();
      gesture.current = null;
    };
  }, [stack]);
  useEffect(() => useEditing.subscribe(({ tool, sizeMm, brushClass }, before) => {
    if (tool !== before.tool || sizeMm !== before.sizeMm || brushClass !== before.brushClass) gesture.current?.show();
  }), []);
}

/** A tool of the viewer that is chosen takes the drag back, and no tool is carried to the next study. */
function useToolPutAway(): void {
  useEffect(() => {
    const unsubscribe = useReading.subscribe(({ dragTool }, before) => dragTool !== before.dragTool && editNow().chooseTool("none"));
    return () => {
      unsubscribe();
      editNow().chooseTool("none");
      editNow().ask(null);
    };
  }, []);
}
