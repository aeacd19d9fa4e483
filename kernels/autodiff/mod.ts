export * from "./arithmetic.ts";
export * from "./concat.ts";
export * from "./gradients.ts";
export * from "./linear.ts";
export * from "./program.ts";
export { constant, input, parameter, type Shape, type SymbolicTensor } from "./tensor.ts";
