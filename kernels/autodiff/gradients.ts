import { add } from "./arithmetic.ts";
import { constant, type Operation, sizeOfShape, type SymbolicTensor, unfit } from "./tensor.ts";

/**
 * Gradients of a scalar with respect to tensors it depends on, as tensors of the same shapes, by reverse-mode
 * differentiation (Linnainmaa 1970; Griewank and Walther, "Evaluating Derivatives"). Zero for tensors that the loss
 * does not depend on.
 */
export function gradients(loss: SymbolicTensor, wanted: readonly SymbolicTensor[]): SymbolicTensor[] {
  if (loss.shape.length !== 0) throw unfit("the gradient of a loss that is no scalar", loss.shape, []);
  const found = new Map<SymbolicTensor, SymbolicTensor>([[loss, constant(1)]]);
  const operations = [...operationsOf([loss])].sort((a, b) => b.id - a.id);
  for (const { outputs, sources, backward } of operations) {
    if (backward === undefined || !sources.some((source) => source?.learned === true)) continue;
    const into = outputs.map((output) => found.get(output));
    if (into.every((gradient) => gradient === undefined)) continue;
    backward(into).forEach((gradient, i) => {
      const source = sources[i];
      if (gradient === undefined || source?.learned !== true) return;
      const before = found.get(source);
      found.set(source, before === undefined ? gradient : add(before, gradient));
    });
  }
  return wanted.map((tensor) =>
    found.get(tensor) ?? constant(new Float32Array(sizeOfShape(tensor.shape)), tensor.shape)
  );
}

/** All operations that tensors depend on, each once, in topological order. */
export function operationsOf(tensors: readonly SymbolicTensor[]): Set<Operation> {
  const seen = new Set<Operation>();
  const pending = tensors.map((tensor) => tensor.operation);
  while (pending.length > 0) {
    const operation = pending.pop()!;
    if (seen.has(operation)) continue;
    seen.add(operation);
    for (const input of [...operation.inputs, ...operation.sources]) {
      if (input !== undefined) pending.push(input.operation);
    }
  }
  return new Set([...seen].sort((a, b) => a.id - b.id));
}
