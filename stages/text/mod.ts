/**
 * Stages of texts: from files to tokens and windows, teachers and their vectors, hidden Markov models, scores, samples and
 * blanks filled in.
 *
 * @module
 */
export * from "./arm_params.ts";
export * from "./arms.ts";
export * from "./blocked_arms.ts";
export { type SmoothingLevels, smoothingLevels } from "./blocks.ts";
export * from "./causal_lm_codecs.ts";
export * from "./codecs.ts";
export * from "./complete_text.ts";
export * from "./describe_clusters.ts";
export * from "./draw_texts.ts";
export * from "./embed.ts";
export * from "./embed_shards.ts";
export * from "./evaluate_switching.ts";
export * from "./evaluate_text.ts";
export * from "./experiment.ts";
export * from "./language_chart.ts";
export * from "./language_table.ts";
export * from "./load.ts";
export * from "./local.ts";
export * from "./masked_lm_codecs.ts";
export * from "./materialise_blocked_hmm.ts";
export * from "./materialise_hmm.ts";
export * from "./random_blocked_hmm.ts";
export * from "./random_hmm.ts";
export * from "./sample_text.ts";
export * from "./smooth_text.ts";
export * from "./sotu.ts";
export * from "./teacher_choice.ts";
export * from "./teachers.ts";
export * from "./tokenize.ts";
export * from "./train_causal_lm.ts";
export * from "./train_masked_lm.ts";
export * from "./train_arm.ts";
export * from "./train_text.ts";
export * from "./window_samples.ts";
export * from "./windows.ts";
export * from "./word_vectors.ts";
