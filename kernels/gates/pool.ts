import type { GateCall } from "./serve.ts";
import type { GateThread } from "./thread.ts";

/** The threads of an engine. */
export interface GatePool {
  /** How many they are. */
  readonly count: number;
  /** Calls all of them at once, with the arguments for each. */
  call<N extends GateCall>(
    name: N,
    args: (thread: number) => Parameters<GateThread[N]>,
  ): Promise<ReturnType<GateThread[N]>[]>;
  /** Ends them. */
  end(): void;
}
