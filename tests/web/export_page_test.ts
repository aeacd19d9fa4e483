import assert from "node:assert/strict";
import { openImageModel } from "../../browser/image_model.ts";
import { openTextModel } from "../../browser/text_model.ts";
import type { OfferedModel } from "../../web/playground/page/protocol.ts";
import { command, fixture, Folder } from "../command.ts";

Deno.test("`export --web` makes a page of a model of texts or images, and says what 8 bits cost; nothing else becomes one", async () => {
  using folder = new Folder();
  const run = await command("run", [fixture("explored"), "--store", folder.store]);
  assert.equal(run.code, 0, run.stderr);
  const exported = async (name: string, to: string) =>
    await command("export", [`latest/${name}`, to, "--web", "--store", folder.store]);
  const pageOf = async (name: string, kind: OfferedModel["kind"]) => {
    const to = `${folder.path}/${name}`, { code, stderr, stdout } = await exported(name, to);
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /8 bits a probability cost \d/);
    const html = await Deno.readTextFile(`${to}/index.html`);
    const models = JSON.parse(/id="models">(.*?)<\/script>/.exec(html)![1]!) as OfferedModel[];
    assert.deepEqual(models.map((one) => one.kind), [kind]);
    // All addresses are the page's own: it works at any place.
    assert.ok(!/(?:src|href)="(?:\/|https?:)/.test(html));
    return await Deno.readFile(`${to}/${models[0]!.file}`);
  };
  await using text = await openTextModel(await pageOf("text", "text"), { engine: "reference" });
  assert.equal((await text.ask("to _ or _")).blanks.length, 2);
  assert.deepEqual(text.story.provenance.map(([name]) => name).slice(0, 3), ["pipeline", "run", "made by"]);
  await using images = await openImageModel(await pageOf("pixels", "images"), { engine: "reference" });
  const { height, width } = images.images.space;
  const { hidden, bits } = await images.fill(0, { hidden: new Uint8Array(height * width).fill(1) });
  assert.equal(hidden, height * width);
  assert.ok(bits! > 0);
  const refused = await exported("patches", `${folder.path}/none`);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /is no model that a page can ask/);
  assert.equal((await exported("text", `${folder.path}/text`)).code, 2, "the folder is not empty");
});
