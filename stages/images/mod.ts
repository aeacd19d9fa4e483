/**
 * Stages of images: from files to patches, teachers and their vectors, circuits of patches and of pixels, scores and pictures.
 *
 * @module
 */
export * from "./assemble_patches.ts";
export * from "./autoencoder_codecs.ts";
export * from "./autoencoder_features.ts";
export * from "./cluster_patches.ts";
export * from "./codecs.ts";
export * from "./evaluate_images.ts";
export * from "./experiment.ts";
export * from "./experiment_params.ts";
export * from "./features_shards.ts";
export * from "./grow_clusters.ts";
export * from "./image_chart.ts";
export type { ImageCourse } from "./image_course.ts";
export * from "./image_samples.ts";
export * from "./image_table.ts";
export * from "./imagenet.ts";
export * from "./load_images.ts";
export * from "./load_pictures.ts";
export * from "./patch_codecs.ts";
export * from "./patch_features.ts";
export * from "./patch_tree.ts";
export * from "./patch_vectors.ts";
export * from "./picture_files.ts";
export * from "./pixel_tree.ts";
export * from "./show_clusters.ts";
export * from "./show_images.ts";
export { trainAutoencoder } from "./train_autoencoder.ts";
export {
  patchTrainingParams,
  patchTreeParams,
  trainGrownCircuits,
  trainPatchCircuits,
} from "./train_patch_circuits.ts";
export { trainPatches } from "./train_patches.ts";
