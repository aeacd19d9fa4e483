import type { Records } from "../../runner/records/records.ts";
import { resolveRun } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { BOXES, boxesOf, type BoxKind, usualBoxes } from "../view/graph_boxes.ts";
import { viewRun } from "../view/run.ts";
import { drawRunGraph } from "../view/run_graph.ts";
import { WrongQuestion } from "./wrong_question.ts";

/** A drawing of a run's graph. */
export interface RunGraph {
  readonly svg: string;
  readonly kind: BoxKind;
  /** Names of the nodes of each box, in the order of the drawing's ids. */
  readonly boxes: readonly (readonly string[])[];
}

/** Maximum number of boxes drawn: layouts of more take long and are unreadable. */
const DRAWN = 600;

/** Draws the graph of a run; boxes link to the pages of their first nodes. */
export async function graphOfRun(store: Store, records: Records, query: URLSearchParams): Promise<RunGraph> {
  const { run, nodes } = viewRun(store, records, resolveRun(records, query.get("id") ?? ""), {
    curves: false,
  });
  const kind = BOXES.find((one) => one === query.get("boxes")) ?? usualBoxes(nodes);
  const boxes = boxesOf(nodes, kind);
  if (boxes.length > DRAWN) {
    throw new WrongQuestion("page/limit", `${boxes.length} boxes are too many to draw`, {
      hint: "Draw a box a stage.",
      status: 422,
    });
  }
  const svg = await drawRunGraph(
    nodes,
    (node) => `#/run/${encodeURIComponent(run.id)}/node/${encodeURIComponent(node.name)}`,
    {
      background: "transparent",
      direction: query.get("direction") === "down" ? "down" : "right",
      boxes: kind,
    },
  );
  return { svg, kind, boxes: boxes.map((box) => box.map((node) => node.name)) };
}
