import { type ImageSet, sliceImages } from "../datasets/images/image_set.ts";
import { CallError } from "../foundation/errors.ts";
import { completionModel } from "../circuits/queries/complete.ts";
import { answerHole, type HoleAnswer, type HoleQuestion } from "./ask_image.ts";
import { openTabEngine, type TabEngine } from "./engine.ts";
import { decodeImageModel, type ImageModelFile } from "./image_file.ts";
import { modelBytes, modelName, type ModelOptions, type ModelSource } from "./model_bytes.ts";
import { TabModel } from "./tab_model.ts";

/** A model of images in a tab, which fills in holes exactly. Close it after use. */
export class ImageTabModel extends TabModel {
  /** Images to begin with. */
  readonly images: ImageSet;

  /** Made by {@link openImageModel}, or over an engine that is open. */
  constructor(file: Omit<ImageModelFile, "circuit">, own: TabEngine) {
    super(file, own);
    this.images = file.images;
  }

  /**
   * What may stand in the hole of an image: fillings drawn from the exact distribution given the pixels that are seen, its exact
   * expected values, and how surprising what is really there is.
   *
   * @param image the number of one of its {@link ImageTabModel.images}, or the values of another one of their size.
   * @throws {CallError} when there is no such image, or what is hidden has another size
   */
  async fill(image: number | Uint8Array, question: Partial<HoleQuestion> = {}): Promise<HoleAnswer> {
    const { space, count } = this.images, size = this.circuit.variables.length;
    if (typeof image === "number" ? !(image >= 0 && image < count) : image.length !== size) {
      throw new CallError(
        "page/not-found",
        typeof image === "number"
          ? `there is no image ${image}: the model has ${count}`
          : `an image of ${image.length} values, expected ${size}`,
      );
    }
    const hidden = question.hidden ?? new Uint8Array(space.height * space.width);
    if (hidden.length !== space.height * space.width) {
      throw new CallError(
        "page/argument",
        `what is hidden has ${hidden.length} pixels, expected ${space.height * space.width}`,
      );
    }
    const one = typeof image === "number"
      ? sliceImages(this.images, image, image + 1)
      : { space, count: 1, pixels: image };
    return await answerHole(completionModel(this.own.engine), one, {
      draws: 4,
      seed: 0,
      ...question,
      hidden,
    });
  }
}

/**
 * Opens a model of images: a file that was made by `encodeImageModel`.
 *
 * @param from its address, relative to the page; or its bytes, or a file that was dropped
 * @throws {RetortError} when it cannot be fetched, is no model of images, or too large for a tab
 */
export async function openImageModel(from: ModelSource, options: ModelOptions = {}): Promise<ImageTabModel> {
  const file = decodeImageModel(await modelBytes(from, options), modelName(from));
  return new ImageTabModel(file, await openTabEngine(file.circuit, options.engine));
}
