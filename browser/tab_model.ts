import type { Circuit } from "../circuits/circuit.ts";
import type { TabEngine } from "./engine.ts";
import type { ModelStory } from "./story.ts";

/** What models in a tab have in common, whatever they are over: an engine that is open, and a story. Close them after use. */
export abstract class TabModel implements AsyncDisposable {
  /** What the model is. */
  readonly story: ModelStory;
  /** The engine that answers, over the model's circuit. */
  protected readonly own: TabEngine;

  /** A model over an engine that is open. */
  constructor({ story }: { readonly story: ModelStory }, own: TabEngine) {
    this.story = story;
    this.own = own;
  }

  /** What computes. */
  get engine(): Pick<TabEngine, "name" | "adapter"> {
    return this.own;
  }

  /** The circuit. */
  get circuit(): Circuit {
    return this.own.engine.circuit;
  }

  /** Frees the memory of its engines. */
  async close(): Promise<void> {
    await this.own.engine.close();
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
