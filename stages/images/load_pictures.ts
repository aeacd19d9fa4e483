import { z } from "zod";
import { COLOUR_TRANSFORMS, transformColours } from "../../datasets/images/colours.ts";
import { toGrey } from "../../datasets/images/geometry.ts";
import {
  describeSpace,
  type ImageSet,
  joinImages,
  plainSpace,
  sliceImages,
} from "../../datasets/images/image_set.ts";
import { fittedPicture, greyAsColours, type Picture } from "../../datasets/images/pictures.ts";
import { sheet } from "../../datasets/images/sheets.ts";
import { DataSetError } from "../../datasets/errors.ts";
import { type Split, splitOfDigest, splits } from "../../datasets/text/documents.ts";
import { messageOf } from "../../foundation/errors.ts";
import { files } from "../../runner/codecs/files.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { images, pictures } from "./codecs.ts";

/** Parameters of {@link loadPictures}, for pipelines that hand them on. */
export const pictureParams: {
  /** Size that all pictures are brought to, in pixels: the side of a square, or height and width. */
  size: z.ZodDefault<
    z.ZodUnion<
      readonly [
        z.ZodInt,
        z.ZodObject<{
          height: z.ZodInt;
          width: z.ZodInt;
        }, z.core.$strict>,
      ]
    >
  >;
  /** How: `crop` keeps the middle, `squash` changes the sides on their own, `pad` keeps all of it on white. */
  fit: z.ZodDefault<
    z.ZodEnum<{
      crop: "crop";
      squash: "squash";
      pad: "pad";
    }>
  >;
  /** `auto` is grey if all pictures are. */
  colours: z.ZodDefault<
    z.ZodEnum<{
      auto: "auto";
      grey: "grey";
      colour: "colour";
    }>
  >;
  /** Colour transform of colour pictures; with a lossy one figures are no upper bounds: see docs/images.md. */
  transform: z.ZodDefault<
    z.ZodEnum<{
      none: "none";
      "ycbcr-lossy": "ycbcr-lossy";
      "ycocg-lossy": "ycocg-lossy";
      "ycocg-r-511": "ycocg-r-511";
      "ycocg-r-512": "ycocg-r-512";
    }>
  >;
  /** What to do with files that cannot be decoded: `refuse` names them, `skip` leaves them out. */
  broken: z.ZodDefault<
    z.ZodEnum<{
      refuse: "refuse";
      skip: "skip";
    }>
  >;
  /** Maximum number of pictures, chosen by their digests; all if omitted. */
  most: z.ZodOptional<z.ZodInt>;
  /** Shares of the pictures. A picture falls into a split by the sha256 of its file. */
  shares: z.ZodDefault<
    z.ZodObject<{
      train: z.ZodNumber;
      valid: z.ZodNumber;
      test: z.ZodNumber;
    }, z.core.$strict>
  >;
} = {
  /** Size that all pictures are brought to, in pixels: the side of a square, or height and width. */
  size: z.union([
    z.int().min(1),
    z.strictObject({ height: z.int().min(1), width: z.int().min(1) }),
  ]).default(16),
  /** How: `crop` keeps the middle, `squash` changes the sides on their own, `pad` keeps all of it on white. */
  fit: z.enum(["crop", "squash", "pad"]).default("crop"),
  /** `auto` is grey if all pictures are. */
  colours: z.enum(["auto", "grey", "colour"]).default("auto"),
  /** Colour transform of colour pictures; with a lossy one figures are no upper bounds: see docs/images.md. */
  transform: z.enum(COLOUR_TRANSFORMS).default("ycocg-r-511"),
  /** What to do with files that cannot be decoded: `refuse` names them, `skip` leaves them out. */
  broken: z.enum(["refuse", "skip"]).default("refuse"),
  /** Maximum number of pictures, chosen by their digests; all if omitted. */
  most: z.int().min(1).optional(),
  /** Shares of the pictures. A picture falls into a split by the sha256 of its file. */
  shares: z.strictObject({ train: z.number().min(0), valid: z.number().min(0), test: z.number().min(0) })
    .default({ train: 0.8, valid: 0.1, test: 0.1 }),
};

/** With fewer pictures, splits would say nothing. */
const FEWEST = 20;
/** Number of broken files that are named, and of pictures that are shown. */
const NAMED = 8, SHOWN = 64;

/** Pictures of any sizes and kinds as images of one size, split, and some of them as a model sees them. */
export const loadPictures: Stage<
  z.ZodObject<typeof pictureParams, z.core.$strip>,
  { files: typeof files },
  { train: typeof images; valid: typeof images; test: typeof images; pictures: typeof pictures }
> = defineStage({
  name: "images.load-pictures",
  params: z.object(pictureParams),
  inputs: { files },
  outputs: { train: images, valid: images, test: images, pictures },
  async run({ inputs, params, context }) {
    const { size, fit, most = Infinity, shares } = params;
    const { height, width } = typeof size === "number" ? { height: size, width: size } : size;
    // By the ends of their digests: the order of names says nothing, and splits go by the beginnings.
    const order = (digest: string) => digest.slice(32);
    const entries = inputs.files.entries.toSorted((a, b) => order(a.digest) < order(b.digest) ? -1 : 1)
      .slice(0, most);
    const found: Record<Split, Picture[]> = { train: [], valid: [], test: [] };
    const broken: string[] = [];
    for (const [i, { name, digest }] of entries.entries()) {
      context.signal.throwIfAborted();
      try {
        const picture = await fittedPicture(await inputs.files.bytes(name), name, { height, width, fit });
        found[splitOfDigest(Uint8Array.fromHex(digest), shares)].push(picture);
      } catch (error) {
        if (!(error instanceof DataSetError)) throw error;
        broken.push(messageOf(error));
      }
      context.progress(i + 1, entries.length, "pictures");
    }
    if (broken.length > 0) refuseOrTell(broken, entries.length, params.broken, context.log);
    const all = splits.flatMap((split) => found[split]);
    const counts = splits.map((split) => `${split}: ${found[split].length}`).join(", ");
    if (all.length < FEWEST || splits.some((split) => found[split].length === 0)) {
      throw new DataSetError(
        "images/too-few",
        `there are ${all.length} pictures (${counts}): at least ${FEWEST} are needed, and some in each split`,
        { hint: "Give more pictures, or other `shares`." },
      );
    }
    const grey = params.colours === "grey" ||
      params.colours === "auto" && all.every(({ channels }) => channels === 1);
    const set = (split: Split) => {
      const plain = joinImages(found[split].map((picture) => imageOf(picture, grey)));
      return grey ? plain : transformColours(plain, params.transform);
    };
    const sets = { train: set("train"), valid: set("valid"), test: set("test") };
    for (const split of splits) context.metric(`${split} images`, sets[split].count);
    context.log(`${all.length} pictures as ${describeSpace(sets.train.space)}; ${counts}`);
    const shown = sliceImages(sets.train, 0, Math.min(SHOWN, sets.train.count));
    return {
      ...sets,
      pictures: [{
        name: "seen",
        caption: `${shown.count} of the training pictures, as models see them`,
        picture: sheet(shown, { scale: 3 }),
      }],
    };
  },
});

function refuseOrTell(
  broken: readonly string[],
  all: number,
  what: "refuse" | "skip",
  log: (line: string) => void,
): void {
  if (what === "skip") {
    for (const message of broken) log(`left out: ${message}`);
    return;
  }
  const more = broken.length > NAMED ? `\n  and ${broken.length - NAMED} more` : "";
  throw new DataSetError(
    "images/format",
    `${broken.length} of ${all} files are no pictures:\n  ${broken.slice(0, NAMED).join("\n  ")}${more}`,
    { hint: 'Mend or remove them, or leave them out with `broken` set to "skip".' },
  );
}

/** An image of one picture, grey or in colours. */
function imageOf({ height, width, channels, pixels }: Picture, grey: boolean): ImageSet {
  const set = { space: plainSpace(height, width, channels), count: 1, pixels };
  if (grey) return channels === 1 ? set : { ...toGrey(set), space: plainSpace(height, width, 1) };
  return channels === 3
    ? set
    : { ...set, space: plainSpace(height, width, 3), pixels: greyAsColours(pixels) };
}
