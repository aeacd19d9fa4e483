import type { Digest } from "../../foundation/canonical.ts";

/** Who says that a change of code changes no result, and why. */
export interface Acceptance {
  readonly by: string;
  readonly why: string;
  /** ISO 8601. */
  readonly when: string;
  /** Key of the result that the code before the change made. */
  readonly from: Digest;
  /** What had changed. */
  readonly changes: readonly string[];
}
