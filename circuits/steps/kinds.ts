/** All kinds of steps, a line each. */
export { anemoneStep as anemone } from "./anemone.ts";
export { emStep as em } from "./em.ts";
export { inertiaStep as inertia } from "./inertia.ts";
