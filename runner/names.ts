import { digestJson, plainJson } from "../foundation/canonical.ts";
import { CallError } from "../foundation/errors.ts";
import { eachInput } from "./inputs.ts";
import type { NodeDraft } from "./stage.ts";

/**
 * Names for the nodes of a pipeline. An explicit name stands. Otherwise a node has its stage's
 * name; where several nodes share a stage, `@` and the parameters that tell them apart follow, their
 * own or those of the nodes before them: `evaluate@states=64,seed=1`. So names do not depend on
 * the order in which nodes were made.
 *
 * @param drafts in topological order.
 * @param representative maps merged drafts to the one that was kept.
 * @param given names of nodes of a pipeline that has grown since: they stay.
 * @throws CallError when two explicit names are equal.
 */
export function nameNodes(
  drafts: readonly NodeDraft[],
  representative: ReadonlyMap<NodeDraft, NodeDraft>,
  given: ReadonlyMap<NodeDraft, string> = new Map(),
): Map<NodeDraft, string> {
  const names = new Map(given);
  const taken = new Map([...given].map(([draft, name]) => [name, draft]));
  const groups = new Map<string, NodeDraft[]>();
  for (const draft of drafts) {
    const name = draft.options.name;
    if (name === undefined) {
      const group = groups.get(draft.stage.name);
      if (group === undefined) groups.set(draft.stage.name, [draft]);
      else group.push(draft);
    } else if (!names.has(draft)) {
      if (taken.has(name)) {
        throw new CallError("graph/duplicate-name", `two nodes are named \`${name}\`; names must be unique`);
      }
      taken.set(name, draft);
      names.set(draft, name);
    }
  }

  const flat = new Map(drafts.map((draft) => [draft, flatten(draft.params)]));
  const own = new Map<NodeDraft, Map<string, string>>();
  for (const group of groups.values()) {
    const varying = varyingKeys(group.map((draft) => flat.get(draft)!));
    for (const draft of group) {
      own.set(draft, new Map([...flat.get(draft)!].filter(([key]) => varying.has(key))));
    }
  }
  const labels = inheritedLabels(drafts, own, representative);

  for (const [stage, group] of groups) {
    let candidates = group.map((draft) => suffix(own.get(draft)!));
    if (new Set(candidates).size < group.length) {
      const varying = varyingKeys(group.map((draft) => labels.get(draft)!));
      candidates = group.map((draft) =>
        suffix(new Map([...labels.get(draft)!].filter(([key]) => varying.has(key))))
      );
    }
    const numbers = new Map<string, number>();
    group.forEach((draft, i) => {
      if (names.has(draft)) return;
      const base = group.length === 1 || candidates[i] === "" ? stage : `${stage}@${candidates[i]}`;
      let name = base;
      let number = numbers.get(base) ?? 1;
      while (taken.has(name)) name = `${base}#${++number}`;
      numbers.set(base, number);
      taken.set(name, draft);
      names.set(draft, name);
    });
  }
  return names;
}

/** A node's own labels and those of all nodes before it; where they disagree on a key, the nearest counts. */
function inheritedLabels(
  drafts: readonly NodeDraft[],
  own: ReadonlyMap<NodeDraft, Map<string, string>>,
  representative: ReadonlyMap<NodeDraft, NodeDraft>,
): Map<NodeDraft, Map<string, string>> {
  const labels = new Map<NodeDraft, Map<string, string>>();
  for (const draft of drafts) {
    const merged = new Map<string, string>();
    // A node that gathers a sweep has every label of it: not one that tells it apart.
    const parents = new Set(eachInput(draft.inputs).map(([, ref]) => representative.get(ref.node)!));
    for (const parent of parents) {
      for (const [key, value] of labels.get(parent) ?? []) {
        merged.set(key, merged.has(key) && merged.get(key) !== value ? "…" : value);
      }
    }
    for (const [key, value] of own.get(draft) ?? []) merged.set(key, value);
    for (const [key, value] of [...merged]) if (value === "…") merged.delete(key);
    labels.set(draft, merged);
  }
  return labels;
}

/** Keys whose values are not the same everywhere. */
function varyingKeys(maps: readonly ReadonlyMap<string, string>[]): Set<string> {
  // One pass over all entries: where many nodes have keys of their own, keys times nodes are too many.
  const seen = new Map<string, { value: string; count: number; varies: boolean }>();
  for (const map of maps) {
    for (const [key, value] of map) {
      const one = seen.get(key);
      if (one === undefined) seen.set(key, { value, count: 1, varies: false });
      else {
        one.count++;
        one.varies ||= one.value !== value;
      }
    }
  }
  return new Set([...seen].filter(([, one]) => one.varies || one.count < maps.length).map(([key]) => key));
}

/** Parameters by dotted path, values as short text. */
function flatten(params: unknown): Map<string, string> {
  const flat = new Map<string, string>();
  const visit = (value: unknown, path: string) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [key, item] of Object.entries(value)) visit(item, path === "" ? key : `${path}.${key}`);
    } else if (value !== undefined) flat.set(path, shortText(value));
  };
  visit(params ?? {}, "");
  return flat;
}

function shortText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  const safe = text.replaceAll(/[^\w.+:-]+/g, "_");
  return safe.length <= 40 && safe === text
    ? safe
    : `${safe.slice(0, 24)}~${digestJson(plainJson(value)).slice(0, 8)}`;
}

function suffix(labels: ReadonlyMap<string, string>): string {
  return [...labels].map(([key, value]) => `${key}=${value}`).join(",");
}
