/**
 * Circuits in a browser's tab: models of texts and images that answer without a server, and train there. Chooses WebGPU, WebAssembly or
 * plain JavaScript, whatever the tab has. Nothing here needs Deno or Node.
 *
 * @module
 */
export type { BlankDistribution, Candidate, FilledBlanks } from "../stages/text/blanks.ts";
export { type SentenceQuestion, type TextAnswer } from "./ask.ts";
export type { ContinuationQuestion, ControlAnswer, NextToken } from "./ask_control.ts";
export type { HoleAnswer, HoleQuestion } from "./ask_image.ts";
export { openTabEngine, type TabEngine } from "./engine.ts";
export { type TabEngineChoice, type TabEngineName, tabEngines } from "./engine_names.ts";
export { decodeImageModel, encodeImageModel, type ImageModelFile } from "./image_file.ts";
export { ImageTabModel, openImageModel } from "./image_model.ts";
export type { ModelOptions, ModelSource } from "./model_bytes.ts";
export { decodeTextModel, encodeTextModel, type TextModelFile } from "./model_file.ts";
export type { StateMeaning } from "./states.ts";
export type { ModelStory } from "./story.ts";
export { TabModel } from "./tab_model.ts";
export { openTextModel, TextModel } from "./text_model.ts";
export {
  fitText,
  prepareText,
  type TextEpoch,
  type TextFitOptions,
  type TextFloors,
  type TextTraining,
  type TextTrainingOptions,
  trainInTab,
} from "./train.ts";
