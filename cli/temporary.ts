import { bytesText, durationText } from "../foundation/format.ts";
import type { PlannedNode } from "../runner/plan.ts";
import type { DroppedOutputs } from "../runner/run_summary.ts";
import type { PipelineSession } from "../runner/session.ts";

/** Temporary outputs of a planned node, each with what becomes of it. */
export function temporaryOutputs(
  session: PipelineSession,
  { node, result, remake }: PlannedNode,
): { readonly output: string; readonly state: "dropped" | "kept" | "temporary"; readonly text: string }[] {
  return node.stage.temporary.map((output) => {
    const gone = result?.dropped?.[output] !== undefined && !remake?.outputs.includes(output);
    if (gone) return { output, state: "dropped", text: "was dropped" };
    return session.wanted.get(node)?.has(output)
      ? { output, state: "kept", text: "is temporary, but kept: it is asked for" }
      : { output, state: "temporary", text: "is temporary" };
  });
}

/** How many nodes of a plan are made again since they were dropped, and what that costs; undefined where there are none. */
export function remakesText(plan: readonly PlannedNode[]): string | undefined {
  const again = plan.flatMap(({ remake }) => remake === undefined ? [] : [remake]);
  if (again.length === 0) return undefined;
  const seconds = again.reduce((sum, one) => sum + one.seconds, 0);
  return `${
    again.length === 1 ? "1 node is" : `${again.length} nodes are`
  } made again, since temporary outputs ` +
    `that are needed were dropped: about ${durationText(seconds)} of work`;
}

/** What a run dropped. */
export function droppedText(dropped: readonly DroppedOutputs[]): string {
  const count = dropped.reduce((sum, { outputs }) => sum + outputs.length, 0);
  const bytes = dropped.reduce((sum, one) => sum + one.bytes, 0);
  return `dropped ${count === 1 ? "1 temporary output" : `${count} temporary outputs`} (${bytesText(bytes)})`;
}
