import assert from "node:assert/strict";
import { Folder, ROOT } from "../command.ts";
import { PipelineSession } from "../../runner/session.ts";

/** Everything that a pipeline and a profile can have wrong together. */
const PIPELINE = `
import { z } from "zod";
import { definePipeline, defineStage, many, temporary, text } from "${ROOT}/mod.ts";
export const joined = defineStage({
  name: "join",
  params: z.object({ n: z.int().default(0) }),
  inputs: { all: many(text) },
  outputs: { text, brief: temporary(text) },
  resources: { gpus: -1 },
  run: () => ({ text: "", brief: "" }),
  retries: { times: 1e9, on: [] },
});
export const right = defineStage({ name: "right", outputs: { text }, run: () => ({ text: "" }) });
export default definePipeline({
  name: "wrong",
  params: z.object({ reads: z.boolean().default(false), fits: z.boolean().default(false) }),
  async build({ params, read }) {
    if (params.fits) return { right: right({}).text };
    const a = joined({ all: [] }, {}, { name: "a", retries: { times: 1000 } });
    const b = joined({ all: [a.text] }, { n: 0.5 }, { name: "b", resources: { cores: -1 } });
    if (params.reads) await read(b.text);
    a.text.node.inputs.all = [b.text];
    return { b: b.text, brief: b.brief };
  },
});`;

Deno.test("what is wrong with a graph, its policies, its outputs and the profile is refused at once, before there is a store", async () => {
  using folder = new Folder();
  const file = `${folder.path}/wrong.ts`, profile = `${folder.path}/profile.json`;
  Deno.writeTextFileSync(file, PIPELINE);
  const refused = async (content: unknown, ...more: RegExp[]) => {
    Deno.writeTextFileSync(profile, JSON.stringify(content));
    await assert.rejects(PipelineSession.open({ file, store: folder.store, profile }), (error: Error) => {
      const faults = [
        /^`a` needs the output `text` of `b`, which needs `a`$/m,
        /^stage `join`: `retries\.times`: .*20$/m,
        /^stage `join`: `retries\.on`: /m,
        /^node of stage `join`: `retries\.times`: .*20$/m,
        /^node of stage `join`: `resources\.cores`: /m,
        /^stage `join`: `resources\.gpus`: /m,
        /^the pipeline returns `brief` of stage `join` as `brief`, which is temporary: /m,
        /^node `b`: parameter `n`: /m,
        ...more,
      ];
      for (const fault of faults) assert.match(error.message, fault);
      return true;
    });
    assert.throws(() => Deno.statSync(folder.store), Deno.errors.NotFound);
  };
  await refused({ stages: { jion: { cores: 2 } } }, /no stage `jion`; did you mean `join`/);
  await refused({ default: { time: -1 }, stagse: {} }, /`default\.time`: /, /stagse/);
  await assert.rejects(
    PipelineSession.open({ file, store: folder.store, set: ["reads=true"] }),
    /retries\.times(.|\n)*parameter `n`/,
    "a build that waits is refused before it is given anything",
  );
});

Deno.test("wrong patterns and a profile that does not fit are told together, as are wrong parameters and such a profile", async () => {
  using folder = new Folder();
  const file = `${folder.path}/wrong.ts`, profile = `${folder.path}/profile.json`;
  Deno.writeTextFileSync(file, PIPELINE);
  Deno.writeTextFileSync(profile, JSON.stringify({ stages: { rihgt: { cores: 2 } } }));
  const patterns = {
    from: ["rigth", "nothing"],
    until: ["left"],
    except: ["stage:up"],
    force: ["down", "right"],
  };
  await assert.rejects(
    PipelineSession.open({ file, store: folder.store, profile, set: ["fits=true"], ...patterns }),
    (error: Error & { hint?: string }) => {
      const told = [
        /^--from rigth: .*did you mean `right`\?$/m,
        /^--from nothing: /m,
        /^--until left: /m,
        /^--except stage:up: /m,
        /^--force down: /m,
        /no stage `rihgt`; did you mean `right`/,
      ];
      for (const fault of told) assert.match(error.message, fault);
      assert.match(error.hint!, /Its nodes: right\n/);
      return true;
    },
  );
  Deno.writeTextFileSync(profile, JSON.stringify({ default: { time: -1 } }));
  await assert.rejects(
    PipelineSession.open({ file, store: folder.store, profile, set: ["fits=perhaps"] }),
    /parameter `fits`: (.|\n)*`default\.time`: /,
  );
  assert.throws(() => Deno.statSync(folder.store), Deno.errors.NotFound);
});
