import { durationText } from "../../foundation/format.ts";
import type { LiveNodeState, LiveStatus } from "../../runner/liveness.ts";
import type { NodeView } from "../view/run.ts";

/** Name and icon of node states: the icon makes them distinguishable without colour. */
export const STATE_WORDS: Record<LiveNodeState | "data", { readonly word: string; readonly sign: string }> = {
  pending: { word: "waiting", sign: "○" },
  running: { word: "running", sign: "▶" },
  ran: { word: "ran", sign: "✓" },
  cached: { word: "from cache", sign: "≡" },
  failed: { word: "failed", sign: "✗" },
  skipped: { word: "skipped", sign: "↷" },
  interrupted: { word: "interrupted", sign: "‖" },
  killed: { word: "killed", sign: "✗" },
  unused: { word: "not begun", sign: "–" },
  data: { word: "data", sign: "▤" },
};

/** The state of a node, with data as a separate state. */
export function shownState(node: Pick<NodeView, "state" | "data">): LiveNodeState | "data" {
  return node.data ? "data" : node.state;
}

/** The state of a node: an icon, a word and a colour. */
export function State({ node }: { node: Pick<NodeView, "state" | "data"> }) {
  const state = shownState(node);
  return (
    <span class={`badge state-${state}`}>
      <span aria-hidden="true">{STATE_WORDS[state].sign}</span> {STATE_WORDS[state].word}
    </span>
  );
}

const STATUS: Record<LiveStatus, readonly [sign: string, state: LiveNodeState]> = {
  running: ["▶", "running"],
  done: ["✓", "ran"],
  failed: ["✗", "failed"],
  interrupted: ["‖", "interrupted"],
  killed: ["✗", "killed"],
  "running or killed": ["?", "interrupted"],
};

/** The status of a run: an icon, a word and a colour. */
export function Status({ status }: { status: LiveStatus }) {
  const [sign, state] = STATUS[status];
  return (
    <span class={`badge state-${state}`}>
      <span aria-hidden="true">{sign}</span> {status}
    </span>
  );
}

/** `3 ran, 5 from cache`. */
export function countsText(counts: Partial<Record<LiveNodeState, number>>): string {
  return (Object.keys(STATE_WORDS) as LiveNodeState[]).flatMap((state) =>
    counts[state] === undefined ? [] : [`${counts[state]} ${STATE_WORDS[state].word}`]
  ).join(", ");
}

/** The most important state among several nodes. */
export function worstState(states: readonly (LiveNodeState | "data")[]): LiveNodeState | "data" {
  const order = [
    "failed",
    "killed",
    "interrupted",
    "running",
    "pending",
    "skipped",
    "unused",
    "ran",
    "cached",
    "data",
  ] as const;
  const found = new Set(states);
  return order.find((state) => found.has(state)) ?? "pending";
}

/** How long a node took, or how much time its cached result saved. */
export function took(node: NodeView): string {
  if (node.maker !== null) {
    return node.maker.seconds === null ? "–" : `saved ${durationText(node.maker.seconds)}`;
  }
  return node.seconds === null ? "–" : durationText(node.seconds);
}

/** Progress of a running node. */
export function ProgressBar({ node }: { node: Pick<NodeView, "name" | "state" | "progress"> }) {
  const { progress } = node;
  if (progress === null || node.state !== "running") return null;
  const of = progress.total === null ? "" : ` of ${progress.total}`;
  const unit = progress.unit === null ? "" : ` ${progress.unit}`;
  return (
    <span class="progress">
      {progress.total !== null && progress.total > 0 && (
        <progress max={progress.total} value={progress.done} aria-label={`progress of ${node.name}`} />
      )}
      <span>{progress.done}{of}{unit}</span>
    </span>
  );
}
