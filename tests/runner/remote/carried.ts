/** Runs as they lie on a remote. */
import type { JsonObject } from "../../../foundation/canonical.ts";
import { runPath } from "../../../runner/store/remote/layout.ts";
import type { Remote } from "../../../runner/store/remote/remote.ts";
import { RUN_FORMAT } from "../../../runner/store/remote/runs.ts";
import { sealedBytes } from "../../../runner/store/sealed.ts";

/** Puts the record of a run there that began at a moment, in seconds since 1970. */
export async function carriedAt(remote: Remote, started: number, results: JsonObject): Promise<void> {
  await remote.put(runPath("20260101t000000-abcdef"), sealedBytes(RUN_FORMAT, { run: { started }, results }));
}
