/** Device implementations of the built-in families, one line each. */
export { bernoulliDevice as bernoulli } from "./bernoulli.ts";
export { binomialDevice as binomial } from "./binomial.ts";
export { categoricalDevice as categorical } from "./categorical.ts";
export { externalDevice as external } from "./external.ts";
export { gaussianDevice as gaussian } from "./gaussian.ts";
export { histogramDevice as histogram } from "./histogram.ts";
export { indicatorDevice as indicator } from "./indicator.ts";
export { logisticDevice as logistic } from "./logistic.ts";
export { poissonDevice as poisson } from "./poisson.ts";
export { subsetDevice as subset } from "./subset.ts";
