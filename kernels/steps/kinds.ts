/** Device implementations of all kinds of steps, one line each. */
export { anemoneWgsl as anemone } from "./anemone.ts";
export { emWgsl as em } from "./em.ts";
export { inertiaWgsl as inertia } from "./inertia.ts";
