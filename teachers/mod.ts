/**
 * Teachers: transformers in ONNX, the encoder that an npm package holds, static word vectors, and models that learn here;
 * what they say of texts and images, and how their pieces lie against tokens.
 *
 * @module
 */
export * from "./alignment.ts";
export * from "./autoencoder_training.ts";
export * from "./causal_lm.ts";
export * from "./causal_lm_training.ts";
export * from "./causal_sampling.ts";
export * from "./choose_piece.ts";
export * from "./config.ts";
export * from "./describe.ts";
export type { GraphNames } from "./graph_ports.ts";
export type { AutoencoderSizes } from "./masked_autoencoder.ts";
export type { MaskedLmSizes } from "./masked_lm.ts";
export * from "./masked_lm_teacher.ts";
export * from "./masked_lm_training.ts";
export type { PieceName, SpecialPieceNames } from "./special_pieces.ts";
export * from "./suffixes.ts";
export * from "./teacher.ts";
export type { Numbers, Program, Shape, StepResult, TrainingStep } from "../kernels/autodiff/mod.ts";
export type { EngineSessionOptions } from "../kernels/onnx/engine_session.ts";
export type { OnnxSessionOptions } from "../kernels/onnx/session.ts";
export type { ParameterPlan, ParameterPlans, TransformerSizes } from "./transformer.ts";
export { type LiteWeight, type LiteWeights, useLite, useLiteGraph } from "./use_lite.ts";
export * from "./word_vectors.ts";
