import { collectGarbage } from "../../runner/gc.ts";
import { PipelineSession } from "../../runner/session.ts";
import { verifyStore } from "../../runner/verify.ts";
import { workOf } from "../measure.ts";
import { writePipeline } from "../runner/pipelines.ts";
import type { Growing } from "./growing.ts";

/** Pipelines of so many nodes, and the store that holds their results: an object and a result a node. */
export function nodes(folder: string): Growing<
  | "planned, store empty"
  | "run in one process"
  | "planned, everything cached"
  | "store verified"
  | "garbage looked for"
> {
  const sizes = [126, 250, 500, 1000, 2016];
  const files = new Map(sizes.map((size) => [size, writePipeline(folder, size)]));
  return {
    unit: "nodes",
    sizes,
    bounds: {
      "planned, store empty": 1,
      "run in one process": 1,
      "planned, everything cached": 1,
      "store verified": 1,
      "garbage looked for": 1,
    },
    async costs(size) {
      const store = Deno.makeTempDirSync({ dir: folder });
      const open = () => PipelineSession.open({ file: files.get(size)!, store });
      const plan = async () => {
        await using session = await open();
        await session.plan();
      };
      const run = async () => {
        await using session = await open();
        const { status } = await session.run({
          jobs: 0,
          command: "bench",
          stop: new AbortController().signal,
        });
        if (status !== "done") throw new Error(`the run ended as ${status}`);
      };
      try {
        const [empty, ran, cached] = [await workOf(plan), await workOf(run), await workOf(plan)];
        await using session = await open();
        const verified = await workOf(async () => {
          const { faults, results } = await verifyStore(session.store);
          if (faults.length > 0 || results !== size) {
            throw new Error(`${results} results, ${faults.join("; ")}`);
          }
        });
        const collected = await workOf(() => {
          collectGarbage(session.store, session.records, { days: 1, dryRun: true });
        });
        return {
          "planned, store empty": empty.core,
          "run in one process": ran.core,
          "planned, everything cached": cached.core,
          "store verified": verified.core,
          "garbage looked for": collected.core,
        };
      } finally {
        Deno.removeSync(store, { recursive: true });
      }
    },
  };
}
