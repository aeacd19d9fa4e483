/**
 * Circuits in a browser's tab: models of texts that answer without a server, and train there. Chooses WebGPU, WebAssembly or
 * plain JavaScript, whatever the tab has. Nothing here needs Deno or Node.
 *
 * @module
 */
export type { BlankDistribution, Candidate, FilledBlanks } from "../stages/text/blanks.ts";
export { type SentenceQuestion, type TextAnswer } from "./ask.ts";
export { openTabEngine, type TabEngine } from "./engine.ts";
export { type TabEngineChoice, type TabEngineName, tabEngines } from "./engine_names.ts";
export { decodeTextModel, encodeTextModel, type ModelStory, type TextModelFile } from "./model_file.ts";
export { openTextModel, TextModel, type TextModelOptions } from "./text_model.ts";
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
