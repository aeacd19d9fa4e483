import { bytesText, durationText } from "../foundation/format.ts";
import type { GraphNode } from "../runner/graph.ts";
import { movedWork } from "../runner/moves.ts";
import type { PlannedNode } from "../runner/plan.ts";
import type { PipelineSession } from "../runner/session.ts";

/** What the work in shards of a plan moves, a line each, and whether fewer shards are worth more. */
export function movesTexts(
  session: PipelineSession,
  plan: ReadonlyMap<GraphNode, PlannedNode>,
): string[] {
  return movedWork(plan, session.records, session.pipeline.name).map(
    ({ work, nodes, bytes, passes, told, advice }) => {
      const moved = bytes === undefined
        ? `to and from the store what \`${told}\` tells once it is made`
        : `about ${bytesText(bytes)} to and from the store${
          passes > 1 ? `, ${bytesText(Math.round(bytes / passes))} a pass` : ""
        }`;
      const advised = advice === undefined
        ? ""
        : `; a shard computes for about ${durationText(advice.computes)} and moves for ${
          durationText(advice.moves)
        } at 200 MB/s: ${advice.better} instead of ${advice.shards} ${
          advice.better === 1 ? "shard is" : "shards are"
        } worth more`;
      return `${work}: ${nodes === 1 ? "1 node moves" : `${nodes} nodes move`} ${moved}${advised}`;
    },
  );
}
