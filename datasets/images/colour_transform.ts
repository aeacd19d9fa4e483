/**
 * How three 8-bit colours are transformed to three numbers.
 *
 * - `none`: red, green, blue.
 * - `ycbcr-lossy`: BT.709 luma and chroma rounded to 8 bits, as in the code released with "Understanding the Distillation
 *   Process from Deep Generative Models to Tractable Probabilistic Circuits" (Liu, Liu, Van den Broeck and Liang, ICML
 *   2023; LVD-PG), a successor of LVD. Several colours share a code.
 * - `ycocg-lossy`: YCoCg of colours in 0..1, each of its numbers divided into 256 equal intervals.
 * - `ycocg-r-511`, `ycocg-r-512`: the reversible YCoCg-R of Malvar and Sullivan (JVT-I014r3, 2003). Chroma runs from -255
 *   to 255 and is shifted to begin at 0 (511 levels) or, as in some published models, at 1 with 512 levels.
 */
export type ColourTransform = "none" | "ycbcr-lossy" | "ycocg-lossy" | "ycocg-r-511" | "ycocg-r-512";

/** Names of all transforms. */
export const COLOUR_TRANSFORMS: readonly [
  "none",
  "ycbcr-lossy",
  "ycocg-lossy",
  "ycocg-r-511",
  "ycocg-r-512",
] = [
  "none",
  "ycbcr-lossy",
  "ycocg-lossy",
  "ycocg-r-511",
  "ycocg-r-512",
] as const satisfies readonly ColourTransform[];

/** Whether the transform is lossless, so that likelihoods equal those of the colours themselves. */
export function isLossless(transform: ColourTransform): boolean {
  return transform !== "ycbcr-lossy" && transform !== "ycocg-lossy";
}

/** Levels of the three numbers. */
export function levelsOf(transform: ColourTransform): [number, number, number] {
  if (transform === "ycocg-r-511") return [256, 511, 511];
  if (transform === "ycocg-r-512") return [256, 512, 512];
  return [256, 256, 256];
}
