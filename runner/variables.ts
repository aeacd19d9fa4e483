import { byCodeUnit, type Digest, digestJson } from "../foundation/canonical.ts";
import { RetortError } from "../foundation/errors.ts";
import type { StageDefinition } from "./stage.ts";

/** What is kept of environment variables, which may be secrets: digests of their values by name, null where one is not set. */
export type VariableDigests = Readonly<Record<string, Digest | null>>;

/** Digests of the values that environment variables have in this process. */
export function variableDigests(names: readonly string[]): VariableDigests {
  return Object.fromEntries(
    [...new Set(names)].sort(byCodeUnit).map((name) => {
      const value = Deno.env.get(name);
      // With the name: equal values of two variables do not show.
      return [name, value === undefined ? null : digestJson(["environment variable", name, value])];
    }),
  );
}

/** The part of a stage's key that holds the variables that it declares. */
export function variablesOf(stage: StageDefinition): { env?: VariableDigests } {
  return stage.env.length === 0 ? {} : { env: variableDigests(stage.env) };
}

/**
 * Makes sure that environment variables are what a key says.
 *
 * @throws RetortError that names those that are not.
 */
export function checkVariables(expected: VariableDigests): void {
  const now = variableDigests(Object.keys(expected));
  const changed = Object.keys(expected).filter((name) => now[name] !== expected[name]);
  if (changed.length === 0) return;
  throw new RetortError(
    "stage/variables",
    `environment variables changed since the node was planned: ${changed.join(", ")}`,
    { hint: "Pipelines and stages must not set variables that stages declare. Run again." },
  );
}
