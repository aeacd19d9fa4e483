/** Newer parts of the standard library as functions, for what also runs where they are missing: in Node 22. */

/** What `getOrMake` looks into: a `Map` or a `WeakMap`. */
interface Kept<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): unknown;
}

/** The value of a key, made and kept where there is none: `map.getOrInsertComputed(key, make)`. */
export function getOrMake<K, V>(map: Kept<K, V>, key: K, make: (key: K) => V): V {
  if (map.has(key)) return map.get(key) as V;
  const value = make(key);
  map.set(key, value);
  return value;
}

/** Calls `body` at once; what it throws rejects the promise: `Promise.try(body)`. */
export function promiseOf<T>(body: () => T | PromiseLike<T>): Promise<T> {
  return new Promise((resolve) => resolve(body()));
}
