/**
 * Retort: latent variable distillation as declarative, cached pipelines.
 *
 * What pipeline files need: stages, codecs and pipelines.
 *
 * @module
 */
export { defineCodec } from "./runner/codec.ts";
export type {
  AnyCodec,
  Artifact,
  ArtifactReader,
  ArtifactWriter,
  ByteSource,
  Codec,
  FileEntry,
  ReadOf,
  WriteOf,
} from "./runner/codec.ts";
export { CallError, RetortError } from "./foundation/errors.ts";
export type { ErrorCode, ErrorFacts, ExitCode, OwnCode } from "./foundation/errors.ts";
export type * from "./foundation/codes/mod.ts";
export type { Digest, JsonObject, JsonValue } from "./foundation/canonical.ts";
export { type Files, files, type NewFiles } from "./runner/codecs/files.ts";
export { array, type ArrayOf, type ElementType, type NumericArray } from "./runner/codecs/array.ts";
export { matrixShards, tokenShards } from "./runner/codecs/shard_codecs.ts";
export { ShardWriter, takeOver } from "./runner/codecs/shard_writer.ts";
export { Shards } from "./runner/codecs/shards.ts";
export type { FloatType, IntegerType, MatrixShards, TokenShards } from "./runner/codecs/shard_codecs.ts";
export type { Block, NewShards, ShardFacts, ShardFile } from "./runner/codecs/shards.ts";
export { type NewShardProgress, type ShardProgress, shardProgress } from "./runner/codecs/shard_progress.ts";
export type { NpyArray, NpyType } from "./runner/codecs/npy.ts";
export { json, type JsonOptions } from "./runner/codecs/json.ts";
export { text } from "./runner/codecs/text.ts";
export { jsonText, tableText } from "./foundation/text.ts";
export type { Policy } from "./runner/policy.ts";
export { defineSource, defineStage, many } from "./runner/stage.ts";
export { type CodecOf, type OutputType, type Temporary, temporary } from "./runner/temporary.ts";
export type {
  AnyStage,
  Cause,
  Checkpoints,
  EngineChoice,
  InputType,
  InputTypes,
  KeptValues,
  Loaded,
  LocatedFile,
  Many,
  Moves,
  NodeDraft,
  NodeOptions,
  NoParams,
  OutputTypes,
  ReadArtifact,
  Ref,
  Resources,
  Retries,
  RunStage,
  Source,
  Stage,
  StageArguments,
  StageContext,
  StageDefinition,
  Wire,
} from "./runner/stage.ts";
export { definePipeline } from "./runner/pipeline.ts";
export type { Pipeline, PipelineDefinition } from "./runner/pipeline.ts";
export type { PipelineOutputs } from "./runner/graph.ts";
export type { HeadlineDefinition, HeadlineValues } from "./runner/headline.ts";
