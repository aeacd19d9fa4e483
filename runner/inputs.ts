/**
 * Inputs by name, each one thing or a list of them: references in a pipeline, outputs in its graph, artifacts in a
 * job, digests in a key.
 */
export type Inputs<T> = Readonly<Record<string, T | readonly T[]>>;

/** An input as a list. */
export function listOf<T>(input: T | readonly T[]): readonly T[] {
  return Array.isArray(input) ? input : [input as T];
}

/** All things of all inputs in order, each with the name of its input. */
export function eachInput<T>(inputs: Inputs<T>): [name: string, one: T][] {
  return Object.entries(inputs).flatMap(([name, input]) =>
    listOf(input).map((one): [string, T] => [name, one])
  );
}

/** The same inputs, lists where they were, with something else in the place of each thing. */
export function mapInputs<T, U>(inputs: Inputs<T>, map: (one: T) => U): Record<string, U | U[]> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      Array.isArray(input) ? listOf(input).map(map) : map(input as T),
    ]),
  );
}
