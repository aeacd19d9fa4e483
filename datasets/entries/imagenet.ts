import { type DataSet, defineDataSet } from "../schema.ts";

/** The archives of a size, with the sha256 that TensorFlow Datasets publishes of each. */
type Archives = readonly (readonly [name: string, sha256: string])[];

/**
 * Downsampled ImageNet: ten batches to learn from and the validation images, `.npz` files with `data` (uint8 `[images, 3 *
 * side * side]`, red, green and blue planes), `labels` (1 to 1,000) and, in batches, `mean`. Older published figures of
 * "ImageNet 32" and "ImageNet 64" are of other files, those of van den Oord et al. (arXiv:1601.06759).
 */
function downsampled(side: 32 | 64, archives: Archives): DataSet {
  const batches = Array.from({ length: 10 }, (_, i) => `train_data_batch_${i + 1}.npz`);
  const named = archives.map(([name, sha256]) => `${name} (sha256 ${sha256})`).join(", ");
  return defineDataSet({
    name: `imagenet${side}`,
    title: `ImageNet, 1,281,167 + 50,000 colour images downsampled to ${side}x${side}, 1,000 classes, npz`,
    licence: "not redistributable: research and education",
    homepage: "https://patrykchrabaszcz.github.io/Imagenet32/",
    citation:
      "Patryk Chrabaszcz, Ilya Loshchilov, Frank Hutter: A Downsampled Variant of ImageNet as an Alternative to " +
      "the CIFAR datasets. arXiv:1707.08819, 2017.",
    folder: `imagenet${side}`,
    editions: [{
      name: "npz",
      note: "sizes and digests of the unpacked files are not published; those of their archives are",
      byHand: `Log in at https://image-net.org/download-images, take ${named}, and unpack them.`,
      files: [...batches, "val_data.npz"].map((path) => ({ path })),
    }],
  });
}

/** Downsampled ImageNet of 32x32, got by hand. */
export const imagenet32: DataSet = downsampled(32, [
  ["Imagenet32_train_npz.zip", "94226337ecc1b0309d9fcd0167127aaadc931587035fbcb53925235edbaec4fc"],
  ["Imagenet32_val_npz.zip", "013990e6dec1237dcd1f9beadbab81ead6604cc119af5cacbfb59ae28148377a"],
]);

/** Downsampled ImageNet of 64x64, got by hand. */
export const imagenet64: DataSet = downsampled(64, [
  ["Imagenet64_train_part1_npz.zip", "9422dc1dc5d092e9814a70a1cb7fc74880d2db5d88a0cb8a34ee363b12bde3f1"],
  ["Imagenet64_train_part2_npz.zip", "9fafc115afb7e6c301e66dc16b2d737152b427bd5dab26e1293487a6819c7f30"],
  ["Imagenet64_val_npz.zip", "e1e75133158a1924135a9c6f97a80d2d237b158945e0b34074e58e6c8430eeb8"],
]);
