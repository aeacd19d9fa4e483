/** The built-in families, one per line. */
export { bernoulli } from "./bernoulli.ts";
export { binomial } from "./binomial.ts";
export { categorical } from "./categorical.ts";
export { external } from "./external.ts";
export { gaussian } from "./gaussian.ts";
export { histogram } from "./histogram.ts";
export { indicator } from "./indicator.ts";
export { logistic } from "./logistic.ts";
export { poisson } from "./poisson.ts";
export { subset } from "./subset.ts";
