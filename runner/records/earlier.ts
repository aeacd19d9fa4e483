import type { Digest } from "../../foundation/canonical.ts";
import type { KeyComponents } from "../key.ts";

/** An earlier result to compare a node with. */
export interface EarlierResult {
  readonly key: Digest;
  readonly node: string;
  readonly components: KeyComponents;
}

/** A row of the queries below. */
export interface RawEarlier {
  readonly key: Digest;
  readonly node: string;
  readonly components: string;
}

/** The newest results of a node, and of all nodes of its stage. Read from an index each, without sorting. */
export const EARLIER_QUERIES = {
  node: `SELECT key, node, components FROM results WHERE stage = ? AND pipeline = ? AND node = ?
         ORDER BY created DESC LIMIT 20`,
  stage: `SELECT key, node, components FROM results WHERE stage = ? AND pipeline = ?
          ORDER BY created DESC, key LIMIT 20`,
};

/** Components are parsed lazily: often the first of many results suffices. */
export function earlierFromRow(row: RawEarlier): EarlierResult {
  let components: KeyComponents | undefined;
  return {
    key: row.key,
    node: row.node,
    get components() {
      return components ??= JSON.parse(row.components) as KeyComponents;
    },
  };
}
