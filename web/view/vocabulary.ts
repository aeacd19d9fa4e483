import type { Store } from "../../runner/store/store.ts";
import type { NodeView } from "./run.ts";

/**
 * The words for token ids in a node's outputs: from a vocabulary made by the node itself, or by its nearest ancestor
 * that made one. A vocabulary is an artifact of type `vocabulary`: `value.json` with `words`.
 */
export async function wordsFor(
  store: Store,
  nodes: ReadonlyMap<string, NodeView>,
  node: NodeView,
): Promise<readonly string[] | undefined> {
  const queue = [node];
  const seen = new Set<string>();
  while (queue.length > 0) {
    const next = queue.shift()!;
    if (seen.has(next.name)) continue;
    seen.add(next.name);
    const file = next.outputs.find((one) => one.codec === "vocabulary")?.files.find((one) =>
      one.name === "value.json"
    );
    if (file !== undefined) return await readWords(store, file);
    for (const input of next.inputs) {
      const source = nodes.get(input.node);
      if (source !== undefined) queue.push(source);
    }
  }
  return undefined;
}

async function readWords(store: Store, file: { digest: string; size: number }) {
  try {
    const value = JSON.parse(new TextDecoder().decode(await store.blobs.bytes(file.digest, file.size)));
    const words = (value as { words?: unknown } | null)?.words;
    return Array.isArray(words) && words.every((word) => typeof word === "string")
      ? words as string[]
      : undefined;
  } catch {
    return undefined; // Damaged: the ids are shown as numbers, and the vocabulary's own preview shows why.
  }
}
