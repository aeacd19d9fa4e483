/** All kinds of steps, one per line. */
export { anemoneStep as anemone } from "./anemone.ts";
export { emStep as em } from "./em.ts";
export { inertiaStep as inertia } from "./inertia.ts";
