import type { Digest } from "../../foundation/canonical.ts";
import { removeQuietly } from "../../foundation/atomic.ts";
import type { ObjectUses } from "./object_uses.ts";
import type { NodeResult, Store } from "./store.ts";

/**
 * Drops outputs of a result: notes in it, durably, that they are dropped, and then removes those of their objects that no other result
 * refers to. Killed in between, it leaves objects that `gc` removes. Nobody else may drop anything meanwhile, see `Store.dropping`, or
 * hold the result.
 *
 * @returns the bytes that were freed, and the moment that was noted.
 */
export function dropOutputs(
  store: Store,
  uses: ObjectUses,
  key: Digest,
  outputs: readonly string[],
): { readonly bytes: number; readonly when: string } {
  const when = new Date().toISOString();
  const marked: NodeResult[] = [];
  // A result of accepted code is that of the code before: the same bytes under two keys.
  for (let next: Digest | undefined = key; next !== undefined;) {
    const result: NodeResult | undefined = store.markDropped(next, outputs, when);
    uses.reread(next);
    if (result !== undefined) marked.push(result);
    next = result?.accepted?.from;
  }
  const files = new Map(
    marked.flatMap((result) => outputs.flatMap((name) => result.outputs[name]?.files ?? []))
      .map((file) => [file.digest, file.size]),
  );
  let bytes = 0;
  for (const [digest, size] of files) {
    if (uses.has(digest) || !store.blobs.has(digest, size)) continue;
    removeQuietly(store.blobs.path(digest));
    bytes += size;
  }
  return { bytes, when };
}
