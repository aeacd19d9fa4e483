import { Records } from "../../runner/records/records.ts";
import type { NodeRecord, RunRecord } from "../../runner/records/rows.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder } from "../command.ts";

/** A store whose records are written by hand: what pages show of many runs needs none of them to have taken place. */
export class WrittenStore implements Disposable {
  readonly folder: Folder = new Folder();
  readonly store: Store = Store.open(this.folder.store, { create: true });
  readonly records: Records = new Records(this.store);

  /** Adds a run that is done unless `change` says otherwise. */
  addRun(id: string, change: Partial<RunRecord> = {}): RunRecord {
    const run: RunRecord = {
      id,
      pipeline: "written",
      file: "/pipelines/written.ts",
      command: "deno task run written.ts",
      params: {},
      seed: 0,
      status: "done",
      started: 1000,
      ended: 1060,
      environment: {
        ...{ deno: "2", v8: "1", typescript: "1", os: "linux", host: "h", cores: 1, retort: "0" },
        ...{ packages: {}, engine: "cpu", git: null },
      },
      pid: 1,
      ...change,
    };
    this.records.beginRun(run);
    return run;
  }

  /** Adds a node that ran unless `change` says otherwise, with metrics as `[name, step, value]`. */
  addNode(
    run: string,
    name: string,
    change: Partial<NodeRecord> = {},
    metrics: readonly (readonly [name: string, step: number | null, value: number])[] = [],
  ): void {
    this.records.putNode({
      ...{ run, position: this.#position++, name, stage: name, params: {}, state: "ran", key: null },
      ...{ reasons: [], started: 1000, seconds: 10, log: null, error: null, code: null, engine: null },
      ...change,
    });
    this.records.addMetrics(
      run,
      metrics.map(([metric, step, value]) => ({ node: name, name: metric, step, value, time: 1000 })),
    );
  }
  #position = 0;

  [Symbol.dispose](): void {
    this.records.close();
    this.folder[Symbol.dispose]();
  }
}
