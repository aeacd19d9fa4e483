import type { Circuit } from "../../circuits/circuit.ts";
import { PatchLearner } from "../../circuits/patches/learner.ts";
import type { ImageSet } from "../../datasets/images/image_set.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { Engine } from "../../kernels/engine.ts";
import { openEngine } from "../../kernels/open.ts";
import type { AnyCodec, Artifact, ReadOf } from "../../runner/codec.ts";
import { artifactReader } from "../../runner/store/artifacts.ts";
import { Store } from "../../runner/store/store.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { images } from "../../stages/images/codecs.ts";
import { type CompletionModel, completionModel } from "../../circuits/queries/complete.ts";
import { askPatches } from "../../stages/images/open_model.ts";
import { imageVariables, patchModel, patchParts } from "../../stages/images/patch_codecs.ts";
import { withoutEnds } from "../../stages/text/blanks.ts";
import { vocabulary } from "../../stages/text/codecs.ts";
import { answerText } from "../../browser/ask.ts";
import { answerImage } from "./answer.ts";
import { askedHere, openAskedControl } from "./control.ts";
import type { Answer, Question } from "./protocol.ts";

/** Maximum number of store objects kept open, so that switching between two models reopens nothing. */
const KEPT = 4;

/** One core: the others and the GPU are for the runs, and threads that synchronise on a busy machine are slowest. */
const open = (model: Circuit): Promise<Engine> => openEngine(model, { engine: "cpu", threads: 1 });

/** Models, vocabularies and images of stores, opened on demand. */
export class Models {
  readonly #kept = new Map<string, Kept>();

  /**
   * Answers a question.
   * @throws RetortError when something in the store is damaged, or the question does not fit the model.
   */
  async answer(root: string, question: Question): Promise<Answer> {
    const store = Store.open(root);
    if (question.kind === "control") {
      const known: Vocabulary = await this.#read(store, vocabulary, question.vocabulary);
      return await askedHere(async () => {
        const asked = await this.#open(
          question.model,
          "control",
          async () => await openAskedControl(await textCircuit(store, question.model, known), known),
        );
        return await asked.answer(question);
      });
    }
    if (question.kind === "text") {
      const known: Vocabulary = await this.#read(store, vocabulary, question.vocabulary);
      const engine = await this.#open(
        question.model,
        "text",
        async () => await open(await textCircuit(store, question.model, known)),
      );
      const whole = (engine as Engine).circuit;
      return await answerText(
        {
          evaluator: engine as Engine,
          withoutEnds: (blanks) =>
            this.#keep(
              `text ${question.model.digest} ${question.vocabulary.digest} without ends at ${blanks.join()}`,
              async () => {
                const { circuit: asked, condition } = withoutEnds(whole, blanks, known);
                return { evaluator: await open(asked), condition };
              },
              ({ evaluator }) => evaluator.close(),
            ),
        },
        known,
        question,
      );
    }
    const set: ImageSet = await this.#read(store, images, question.images);
    const model = await this.#open(question.model, "images", async () => {
      if (question.model.codec !== patchModel.name) {
        return completionModel(await open(await readArtifact(store, circuit, question.model)));
      }
      const patches = await readArtifact(store, patchModel, question.model);
      const { top, space } = patches;
      const variables = imageVariables(space);
      return askPatches(await PatchLearner.open({ variables, top, parts: patchParts(patches), open }));
    });
    return await answerImage(model as CompletionModel, set, question);
  }

  #read<C extends AnyCodec>(store: Store, codec: C, artifact: Artifact): Promise<ReadOf<C>> {
    return this.#keep(`read ${artifact.digest}`, () => readArtifact(store, codec, artifact), () => undefined);
  }

  #open<T extends { close(): Promise<void> }>(
    artifact: Artifact,
    as: string,
    open: () => Promise<T>,
  ): Promise<T> {
    return this.#keep(`${as} ${artifact.digest}`, open, (value) => value.close());
  }

  /** Returns an object from a least-recently-used cache, opening it if necessary. Failed attempts are not kept. */
  async #keep<T>(
    key: string,
    make: () => Promise<T>,
    close: (value: T) => Promise<void> | undefined,
  ): Promise<T> {
    const found = this.#kept.get(key);
    const value = found === undefined ? make() : found.value as Promise<T>;
    this.#kept.delete(key);
    this.#kept.set(key, found ?? { value, close: async () => await close(await value) });
    try {
      await value;
    } catch {
      this.#kept.delete(key);
    }
    if (this.#kept.size > KEPT) {
      const [oldest, gone] = [...this.#kept][0]!;
      this.#kept.delete(oldest);
      await gone.close();
    }
    return await value;
  }
}

/** A circuit over the tokens of a vocabulary. */
async function textCircuit(store: Store, artifact: Artifact, known: Vocabulary): Promise<Circuit> {
  const model = await readArtifact(store, circuit, artifact);
  const wrong = model.variables.find((one) =>
    one.kind !== "categorical" || one.states !== known.words.length
  );
  if (wrong === undefined) return model;
  throw new RetortError(
    "inputs/mismatch",
    `the circuit is not a model of texts over ${known.words.length} words`,
    { hint: `Its variable ${wrong.name} is of another kind or size.` },
  );
}

/** An object that is kept open. */
interface Kept {
  readonly value: Promise<unknown>;
  close(): Promise<void>;
}

/** Reads an artifact of a store. @throws {RetortError} when it is of another version, or damaged */
export async function readArtifact<C extends AnyCodec>(
  store: Store,
  codec: C,
  artifact: Artifact,
): Promise<ReadOf<C>> {
  if (artifact.version !== codec.version) {
    throw new RetortError(
      "artifact/version",
      `a ${codec.name} of version ${artifact.version}; this program reads ${codec.version}`,
    );
  }
  return await codec.read(artifactReader(store.blobs, artifact));
}
