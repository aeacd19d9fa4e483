import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { defineStage, json, many, type Ref } from "../../mod.ts";
import { ancestors, buildGraph, type Graph, type GraphNode } from "../../runner/graph.ts";
import { select, type Selection, selectNodes } from "../../runner/selection.ts";
import { collectNodes } from "../../runner/stage.ts";
import { holds } from "../property.ts";

const number = json("graph-number", z.number());
const zero = { number: 0 };
const make = defineStage({
  name: "text.make",
  params: z.object({ value: z.number().default(0) }),
  outputs: { number },
  run: () => zero,
});
const sum = defineStage({ name: "sum", inputs: { all: many(number) }, outputs: { number }, run: () => zero });

/** a -> b -> d, a -> c -> d, d -> e; made twice: `text.make@value=1` and `=2`, from which `a` comes. */
async function graphOf(): Promise<Graph> {
  const { value, drafts } = await collectNodes(() => {
    const add = (name: string, ...all: Ref<typeof number>[]) => sum({ all }, {}, { name }).number;
    const a = add("a", make({}, { value: 1 }).number, make({}, { value: 2 }).number);
    const [b, c] = [add("b", a), add("c", a)];
    const d = add("d", b, c);
    return { d, e: add("e", d) };
  });
  return buildGraph(value, drafts);
}

const names = (nodes: Iterable<GraphNode>) => [...nodes].map((node) => node.name).sort();

Deno.test("patterns stand for names, for stages and for what follows", async () => {
  const graph = await graphOf();
  const chosen = (...patterns: string[]) => names(selectNodes(graph, patterns, "--only"));
  assert.deepEqual(chosen("text.make@*"), ["text.make@value=1", "text.make@value=2"]);
  assert.deepEqual(chosen("text.make@value=1"), ["text.make@value=1"]);
  assert.deepEqual(chosen("text.make"), ["text.make@value=1", "text.make@value=2"], "a stage's name");
  assert.deepEqual(chosen("stage:s*"), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(chosen("b+"), ["b", "d", "e"]);
  assert.deepEqual(chosen("text.*2+"), ["a", "b", "c", "d", "e", "text.make@value=2"]);
  assert.deepEqual(chosen("b", "c"), ["b", "c"]);
  for (const pattern of ["text.make@valeu=1", "text.maek", "text.maek+", "stage:text.maek"]) {
    assert.throws(() => chosen(pattern), /did you mean `text\.make/, pattern);
  }
  assert.throws(() => chosen("stage:a"), /no such node/, "stages alone");
});

Deno.test("a selection makes what is chosen and what that needs", async () => {
  const graph = await graphOf();
  const made = (selection: Selection) => names(ancestors(select(graph, selection).targets));
  const upToA = ["a", "text.make@value=1", "text.make@value=2"];
  assert.deepEqual(made({}), [..."abcde"].concat(upToA.slice(1)));
  assert.deepEqual(made({ until: ["b"] }), ["a", "b", ...upToA.slice(1)]);
  assert.deepEqual(made({ from: ["b"], until: ["b"] }), ["a", "b", ...upToA.slice(1)]);
  assert.deepEqual(made({ from: ["d"] }), [..."abcde"].concat(upToA.slice(1)), "what d needs is needed");
  assert.deepEqual(made({ except: ["d"] }), ["a", "b", "c", ...upToA.slice(1)]);
  assert.deepEqual(made({ except: ["b", "c"] }), upToA);
  assert.deepEqual(made({ from: ["b"], except: ["d"] }), ["a", "b", ...upToA.slice(1)], "c is not begun");
  assert.deepEqual(made({ only: ["d"], except: ["c"] }), ["a", "b", ...upToA.slice(1)]);
  assert.deepEqual([...select(graph, {}).outputs.keys()], ["d", "e"]);
  assert.deepEqual([...select(graph, { until: ["d"] }).outputs.keys()], ["d"]);
  assert.deepEqual([...select(graph, { except: ["d"] }).outputs.keys()], ["b:number", "c:number"]);
  assert.deepEqual([...select(graph, { only: ["d"] }).outputs.keys()], ["d:number"]);
});

Deno.test("a selection that leaves nothing is refused with what there is", async () => {
  const graph = await graphOf();
  assert.throws(
    () => select(graph, { from: ["d"], until: ["b"] }),
    (error: Error & { hint?: string }) =>
      /--from d --until b leaves no node/.test(error.message) &&
      /What follows d: d, e\./.test(error.hint!) && /What b needs: .*\ba, b\./.test(error.hint!),
  );
  assert.throws(() => select(graph, { except: ["text.make"] }), /--except text\.make leaves no node/);
});

Deno.test("a selection never makes what is left out, and nothing without what it needs", async (t) => {
  const graph = await graphOf();
  const some = fc.subarray(graph.nodes.map((node) => node.name), { maxLength: 2 });
  await holds(
    t,
    fc.property(fc.record({ only: some, from: some, until: some, except: some }), (selection) => {
      let made: Set<GraphNode>;
      try {
        made = new Set(ancestors(select(graph, selection).targets));
      } catch (error) {
        assert.match((error as Error).message, /leaves no node/);
        return;
      }
      const below = (name: string): GraphNode[] => selectNodes(graph, [`${name}+`], "--except");
      for (const name of selection.except) {
        for (const node of below(name)) assert.ok(!made.has(node), node.name);
      }
      if (selection.until.length > 0) {
        const before = new Set(ancestors(selectNodes(graph, selection.until, "--until")));
        for (const node of made) assert.ok(before.has(node), node.name);
      }
    }),
  );
});
