import type { JobMessage } from "./execute/job.ts";
import type { Recorder } from "./recorder.ts";
import type { PlaceRecord } from "./records/rows.ts";

/** What is told of where a job runs. */
export type PlaceMessage = Extract<JobMessage, { readonly type: "taken" | "used" }>;

/** Where one execution of a node runs, recorded as far as it is known. */
export class NodePlace {
  #record: PlaceRecord;

  /**
   * @param record what the node has asked for.
   * @param began when it was asked for, in milliseconds of `performance.now`.
   */
  constructor(record: PlaceRecord, private readonly began: number, private readonly recorder: Recorder) {
    this.#record = record;
    if (record.memory !== null || record.time !== null) recorder.place(record);
  }

  /** Takes a message in. @returns whether it was about the place. */
  hear(message: JobMessage): message is PlaceMessage {
    if (message.type === "taken") {
      const waited = (performance.now() - this.began) / 1000;
      this.#record = { ...this.#record, host: message.host, worker: message.worker, waited };
    } else if (message.type === "used") this.#record = { ...this.#record, used: message.memory };
    else return false;
    this.recorder.place(this.#record);
    return true;
  }
}
