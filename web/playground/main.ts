/**
 * Builds the playground: a page of static files, for any host and path, whose models answer and learn in the visitor's browser.
 *
 *     deno task playground                    # into build/playground; trains its models first, once
 *     deno task playground --serve            # and serves it on this machine
 *     deno task playground --model FILE       # with a model of your own: of `export --web`, or saved by the page
 *
 * Others: --out FOLDER, --store FOLDER, --port NUMBER.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { decodeImageModel, holdsImages } from "../../browser/image_file.ts";
import { decodeTextModel } from "../../browser/model_file.ts";
import { decodeCircuitFile } from "../../circuits/one_file.ts";
import { DataSetMissing } from "../../datasets/errors.ts";
import { locate } from "../../datasets/locate.ts";
import { CallError, hintOf, messageOf, RetortError } from "../../foundation/errors.ts";
import { bytesText } from "../../foundation/format.ts";
import { Records } from "../../runner/records/records.ts";
import { resolveArtifact } from "../../runner/references.ts";
import { Store } from "../../runner/store/store.ts";
import { buildPlayground, type PlaygroundModel } from "./build.ts";
import { serveFolder } from "./serve.ts";
import { modelOf } from "./model_of.ts";

/** Sentences to begin with. */
const EXAMPLES = [
  "we must _ the american people .",
  "the united states will _ _ the peace of the world .",
  "i ask the congress to _ this _ .",
  "_ is the _ of our nation .",
];

/** The models that the pipelines make. */
const MADE = [
  {
    ...{ pipeline: "playground", output: "distilled", examples: EXAMPLES },
    ...{ name: "sotu", title: "Distilled from a transformer", beside: "random" },
  },
  {
    ...{ pipeline: "playground", output: "random", examples: EXAMPLES },
    ...{ name: "random", title: "The same from a random start", beside: null },
  },
  {
    ...{ pipeline: "playground-images", output: "model", examples: [] },
    ...{ name: "clothes", title: "A tree over 784 pixels", beside: null },
  },
];

interface Options {
  readonly out: string;
  readonly store: string;
  readonly serve: boolean;
  readonly port: number;
  readonly models: readonly string[];
}

function optionsOf(): Options {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: "string", default: "build/playground" },
        store: { type: "string", default: Deno.env.get("RETORT_STORE") || ".retort" },
        serve: { type: "boolean", default: false },
        port: { type: "string", default: "0" },
        model: { type: "string", multiple: true, default: [] },
      },
    });
    const here = (path: string) => resolve(Deno.env.get("INIT_CWD") ?? ".", path);
    const port = Number(values.port);
    if (!(Number.isInteger(port) && port >= 0 && port < 65536)) {
      throw new CallError(
        "command/options",
        `the port is ${values.port}, expected a whole number below 65536`,
      );
    }
    return {
      ...values,
      port,
      out: here(values.out),
      store: here(values.store),
      models: values.model.map(here),
    };
  } catch (error) {
    if (error instanceof CallError) throw error;
    throw new CallError("command/options", messageOf(error), {
      hint: "The options are --out, --store, --serve, --port and --model.",
    });
  }
}

/** The pipeline's models. What is in the store already is not computed again. */
async function trainedModels(path: string): Promise<PlaygroundModel[]> {
  const pipelines: string[] = await hasImages() ? ["playground", "playground-images"] : ["playground"];
  for (const pipeline of pipelines) {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "run", `pipelines/${pipeline.replace("-", "_")}.ts`, "--store", path],
      cwd: new URL("../../", import.meta.url),
      stdin: "null",
    }).spawn().status;
    // It has said why.
    if (code !== 0) Deno.exit(code);
  }
  const store = Store.open(path);
  using records = new Records(store, { readOnly: true });
  const made: PlaygroundModel[] = [];
  for (const { output, pipeline, examples, ...model } of MADE) {
    const run = records.runs({ status: "done", limit: 500 }).find((one) => one.pipeline === pipeline);
    if (!pipelines.includes(pipeline)) continue;
    const record = resolveArtifact(records, `${run!.id}/${output}`);
    const { loss, ...file } = await modelOf(store, records, record, { title: model.title, examples });
    console.log(
      `${model.name}: ${bytesText(file.bytes.length)}; 8 bits cost ${loss!.mean.toFixed(5)} nats a value, ` +
        `${loss!.largest.toFixed(5)} in the state that loses most`,
    );
    made.push({ ...file, ...model });
  }
  return made;
}

/** Whether the images are on this machine; says how to get them where they are not. */
async function hasImages(): Promise<boolean> {
  try {
    await locate("fashion-mnist");
    return true;
  } catch (error) {
    if (!(error instanceof DataSetMissing)) throw error;
    console.log("no Fashion-MNIST here, so no image is asked about: `deno task data fetch fashion-mnist`");
    return false;
  }
}

/** Models that are files already. */
function givenModels(paths: readonly string[]): PlaygroundModel[] {
  return paths.map((path, i) => {
    const bytes = Deno.readFileSync(path);
    const isOfImages = holdsImages(decodeCircuitFile(bytes, path).metadata);
    const { story } = isOfImages ? decodeImageModel(bytes, path) : decodeTextModel(bytes, path);
    const kind = isOfImages ? "images" : "text";
    return { kind, name: i === 0 ? "own" : `own-${i + 1}`, title: story.title, beside: null, bytes };
  });
}

try {
  const { out, store, serve, port, models } = optionsOf();
  const { files, bytes } = await buildPlayground(
    out,
    models.length > 0 ? givenModels(models) : await trainedModels(store),
  );
  console.log(`${files} files, ${bytesText(bytes)}: ${out}/index.html`);
  if (serve) {
    const listener = await serveFolder(out, port);
    console.log(`http://127.0.0.1:${listener.port}/`);
    await listener.finished;
  }
} catch (error) {
  console.error(`error: ${messageOf(error)}`);
  const hint = hintOf(error);
  if (hint !== undefined) console.error(hint);
  Deno.exit(error instanceof RetortError ? error.exitCode : 1);
}
