import { encodeImageModel } from "../../browser/image_file.ts";
import { encodeTextModel } from "../../browser/model_file.ts";
import { categoricalVariables, hcltFromSamples, hmm } from "../../circuits/mod.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { buildPlayground, type PlaygroundModel } from "../../web/playground/build.ts";
import { serveFolder } from "../../web/playground/serve.ts";

/** Words of the models of tests. */
export const VOCABULARY: Vocabulary = {
  kind: "words",
  words: [
    "<unk>",
    "<eos>",
    ..."we must the american people . of to and serve <script>alert(1)</script>".split(" "),
  ],
  unknown: 0,
  end: 1,
};

/** A small model, of a title and a seed. */
export function smallModel(name: string, seed: number, beside: string | null = null): PlaygroundModel {
  const circuit = hmm({ length: 16, states: 8, symbols: VOCABULARY.words.length, seed });
  const title = `${name} <b>`;
  const { bytes } = encodeTextModel({
    circuit,
    vocabulary: VOCABULARY,
    story: { title, provenance: [["run", "none"]], examples: ["we must _ the people ."] },
  }, 32);
  return { kind: "text", name, title, beside, bytes };
}

/** A small model of images of 4 x 4 pixels, of three grey levels. */
export function smallImages(name: string): PlaygroundModel {
  const space = { height: 4, width: 4, channels: 1, levels: [3], transform: "none", steps: [] } as const;
  const pixels = Uint8Array.from({ length: 5 * 16 }, (_, i) => i * i % 3);
  const samples = { count: 5, variables: 16, values: pixels };
  const circuit = hcltFromSamples({ variables: categoricalVariables(16, 3), samples }, {
    latents: 3,
    seed: 1,
  });
  const story = { title: "Sixteen <i>", provenance: [], examples: [] };
  const { bytes } = encodeImageModel({ circuit, images: { space, count: 5, pixels }, story });
  return { kind: "images", name, title: story.title, beside: null, bytes };
}

/** The playground of small models, served under a path that is not the host's root. */
export class Playground implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    readonly url: string,
    readonly stop: () => void,
  ) {}

  /** Builds and serves it. */
  static async start(): Promise<Playground> {
    const folder = await Deno.makeTempDir({ prefix: "retort-playground-" });
    await buildPlayground(`${folder}/some/path`, [
      smallModel("one", 1, "two"),
      smallModel("two", 2),
      smallImages("pixels"),
    ]);
    const listener = await serveFolder(folder);
    return new Playground(folder, `http://127.0.0.1:${listener.port}/some/path/`, () => listener.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}
