import {
  childrenOf,
  type Circuit,
  describeNode,
  describeVariable,
  type InputNode,
  type Node,
  type Parameter,
  type ProductNode,
  type SumNode,
} from "./circuit.ts";
import { CircuitError, type ErrorCode, type Fault } from "./errors.ts";
import { checkRows } from "./leaves/family.ts";
import { familyNames, findLeafFamily, isExternal, leafOf } from "./leaves/mod.ts";
import { firstDifferent, firstShared, inScope, type Scope, scopesOf } from "./scope.ts";
import { requireCircuit } from "./guards.ts";

/**
 * Checks structure and parameters; see {@link structureFaults} and {@link parameterFaults}.
 * @throws {CircuitError} with every fault, each naming its node or parameter
 */
export function checkCircuit(circuit: Circuit): void {
  requireCircuit(circuit);
  const structure = structureFaults(circuit);
  if (structure.length > 0) {
    throw CircuitError.of("circuit/invalid", "this is not a valid circuit", structure);
  }
  const parameters = parameterFaults(circuit);
  if (parameters.length > 0) {
    throw CircuitError.of(
      "circuit/parameter-values",
      "the circuit has parameters that are not distributions",
      parameters,
    );
  }
}

/**
 * Faults of the structure: order and cycles, shapes, unknown families, smoothness (children of a sum have the same
 * scope), decomposability (children of a product have disjoint scopes), a root that misses a variable, unused nodes and
 * parameters. Empty for a valid circuit.
 */
export function structureFaults(circuit: Circuit): Fault[] {
  requireCircuit(circuit);
  const faults = [...variableFaults(circuit), ...orderFaults(circuit)];
  // Scopes are meaningless in a graph with cycles, so report only those.
  if (faults.length > 0) return faults;
  const scopes = scopesOf(circuit);
  for (const node of circuit.nodes) {
    const add: Add = (problem, code) => {
      faults.push({ where: describeNode(node), problem, ...(code !== undefined && { code }) });
    };
    if (!isCount(node.units)) {
      add(`units is ${node.units}, expected a whole number from 1 to ${MOST_STATES}`);
    } else if (node.kind === "input") checkInput(circuit, node, add);
    else if (node.kind === "product") checkProduct(circuit, node, scopes, add);
    else checkSum(circuit, node, scopes, add);
  }
  if (faults.length === 0) faults.push(...usageFaults(circuit, scopes), ...tyingFaults(circuit));
  return faults;
}

/**
 * Faults of the parameter values, of all parameters if `ids` is omitted: not finite, negative, or rows that do not sum to
 * one. Empty if there are none.
 */
export function parameterFaults(circuit: Circuit, ids?: ReadonlySet<string>): Fault[] {
  requireCircuit(circuit);
  const faults: Fault[] = [];
  const checked = new Set<string>();
  for (const node of circuit.nodes) {
    if (node.kind === "product" || node.parameter === undefined || checked.has(node.parameter)) continue;
    if (ids !== undefined && !ids.has(node.parameter)) continue;
    checked.add(node.parameter);
    const { shape, values } = circuit.parameters.get(node.parameter) as Parameter;
    const problem = node.kind === "sum"
      ? checkRows(values, shape[2] as number, "row")
      : findLeafFamily(node.family)?.checkValues(leafOf(circuit, node));
    if (problem === undefined) continue;
    faults.push({ where: `parameter \`${node.parameter}\` of ${describeNode(node)}`, problem });
  }
  return faults;
}

/** Maximum number of units of a node and states of a variable: integers up to here are exact in float32. */
export const MOST_STATES: number = 1 << 24;

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MOST_STATES;
}

function variableFaults(circuit: Circuit): Fault[] {
  return circuit.variables.flatMap((variable, v) =>
    variable.kind !== "categorical" || isCount(variable.states) ? [] : [{
      where: describeVariable(circuit, v),
      problem: `it has ${variable.states} states, expected a whole number from 1 to ${MOST_STATES}`,
    }]
  );
}

function orderFaults(circuit: Circuit): Fault[] {
  const { nodes, root } = circuit;
  const faults: Fault[] = [];
  if (nodes.length === 0) return [{ where: "circuit", problem: "it has no nodes" }];
  if (!(Number.isInteger(root) && root >= 0 && root < nodes.length)) {
    faults.push({ where: "root", problem: `there is no node ${root}; ids are 0 to ${nodes.length - 1}` });
  }
  let disordered = false;
  nodes.forEach((node, id) => {
    const where = describeNode(node);
    if (node.id !== id) faults.push({ where, problem: `it stands at position ${id}` });
    if (node.kind !== "input" && node.children.length === 0) {
      faults.push({ where, problem: "it has no children" });
    }
    for (const child of childrenOf(node)) {
      if (nodes[child] === undefined) faults.push({ where, problem: `its child ${child} does not exist` });
      else if (child >= id) disordered = true;
    }
  });
  if (disordered && faults.length === 0) {
    const cycle = findCycle(nodes);
    faults.push(
      cycle === undefined
        ? { where: "nodes", problem: "a parent stands before its child; list children first" }
        : {
          where: describeNode(nodes[cycle[0] as number] as Node),
          problem: `it is its own descendant: ${cycle.join(" -> ")}`,
        },
    );
  }
  return faults;
}

/** Ids along a cycle, the first repeated at the end, or undefined. */
function findCycle(nodes: readonly Node[]): number[] | undefined {
  const state = new Uint8Array(nodes.length); // 1: on the path, 2: done
  for (const start of nodes.keys()) {
    const path: { id: number; next: number }[] = state[start] === 0 ? [{ id: start, next: 0 }] : [];
    while (path.length > 0) {
      const top = path[path.length - 1] as { id: number; next: number };
      state[top.id] = 1;
      const child = childrenOf(nodes[top.id] as Node)[top.next++];
      if (child === undefined) {
        state[top.id] = 2;
        path.pop();
      } else if (state[child] === 1) {
        const ids = path.map((step) => step.id);
        return [...ids.slice(ids.indexOf(child)), child];
      } else if (state[child] === 0) path.push({ id: child, next: 0 });
    }
  }
  return undefined;
}

type Add = (problem: string, code?: ErrorCode) => void;

function checkInput(circuit: Circuit, node: InputNode, add: Add): void {
  const variable = circuit.variables[node.variable];
  const family = findLeafFamily(node.family);
  if (variable === undefined) {
    return void add(`there is no variable ${node.variable}; the circuit has ${circuit.variables.length}`);
  }
  if (family === undefined) {
    return void add(
      `unknown leaf family \`${node.family}\`; known are ${familyNames().join(", ")}`,
    );
  }
  if (!family.kinds.includes(variable.kind)) {
    return void add(
      `a ${node.family} leaf models ${family.kinds.join(" or ")} variables, but ${
        describeVariable(circuit, node.variable)
      } is ${variable.kind}`,
    );
  }
  const shapeOnly = { variable, units: node.units, settings: node.settings };
  const problem = family.checkSettings(shapeOnly);
  if (problem !== undefined) return void add(problem);
  const shape = family.parameterShape(shapeOnly);
  if (shape === undefined) {
    if (node.parameter !== undefined) {
      add(`a ${node.family} leaf has no parameter, but names \`${node.parameter}\``);
    }
  } else checkShape(circuit, node.parameter, shape, add);
}

function checkProduct(circuit: Circuit, node: ProductNode, scopes: Scope[], add: Add): void {
  const union = new Uint32Array((scopes[node.id] as Scope).length);
  for (const child of node.children) {
    const units = (circuit.nodes[child] as Node).units;
    if (units !== node.units) add(`it has ${node.units} units, but its child ${child} has ${units}`);
    const scope = scopes[child] as Scope;
    const shared = firstShared(union, scope);
    if (shared >= 0) {
      const others = node.children.filter((other) =>
        other !== child && inScope(scopes[other] as Scope, shared)
      );
      add(
        `not decomposable: its child ${child} shares ${describeVariable(circuit, shared)} with child ${
          others[0] ?? child
        }`,
        "circuit/not-decomposable",
      );
      return;
    }
    scope.forEach((bits, w) => union[w] = (union[w] as number) | bits);
  }
}

function checkSum(circuit: Circuit, node: SumNode, scopes: Scope[], add: Add): void {
  const scope = scopes[node.id] as Scope;
  let into = 0;
  for (const child of node.children) {
    into += (circuit.nodes[child] as Node).units;
    const missing = firstDifferent(scope, scopes[child] as Scope);
    if (missing >= 0) {
      add(
        `not smooth: its child ${child} does not depend on ${
          describeVariable(circuit, missing)
        }, which another child does`,
        "circuit/not-smooth",
      );
      return;
    }
  }
  const { groups, units } = node;
  if (!(Number.isInteger(groups) && groups > 0) || units % groups !== 0 || into % groups !== 0) {
    return void add(
      `${groups} groups do not divide its ${units} units and the ${into} units of its children`,
    );
  }
  checkShape(circuit, node.parameter, [groups, units / groups, into / groups], add);
}

function checkShape(circuit: Circuit, id: string | undefined, shape: readonly number[], add: Add): void {
  const wanted = `expected one of the shape [${shape.join(", ")}]`;
  if (id === undefined) return void add(`it names no parameter, ${wanted}`);
  const parameter = circuit.parameters.get(id);
  if (parameter === undefined) return void add(`there is no parameter \`${id}\`, ${wanted}`);
  if (parameter.shape.join() !== shape.join()) {
    add(`parameter \`${id}\` has the shape [${parameter.shape.join(", ")}], ${wanted}`);
  } else if (parameter.values.length !== shape.reduce((a, b) => a * b, 1)) {
    add(`parameter \`${id}\` holds ${parameter.values.length} numbers, ${wanted}`);
  }
}

function usageFaults(circuit: Circuit, scopes: Scope[]): Fault[] {
  const faults: Fault[] = [];
  const rootScope = scopes[circuit.root] as Scope;
  const missing = circuit.variables.findIndex((_, v) => !inScope(rootScope, v));
  if (missing >= 0) {
    faults.push({
      where: describeNode(circuit.nodes[circuit.root] as Node),
      problem: `the root does not depend on ${describeVariable(circuit, missing)}`,
    });
  }
  const reached = new Uint8Array(circuit.nodes.length);
  reached[circuit.root] = 1;
  const used = new Set<string>();
  for (let id = circuit.nodes.length - 1; id >= 0; id--) {
    const node = circuit.nodes[id] as Node;
    if (reached[id] === 0) {
      faults.push({ where: describeNode(node), problem: "the root does not depend on it" });
      continue;
    }
    for (const child of childrenOf(node)) reached[child] = 1;
    if (node.kind !== "product" && node.parameter !== undefined) used.add(node.parameter);
  }
  for (const id of circuit.parameters.keys()) {
    if (!used.has(id)) faults.push({ where: `parameter \`${id}\``, problem: "no node uses it" });
  }
  return faults;
}

/** Nodes that share a parameter must interpret it alike; external leaves of one variable read the same array. */
function tyingFaults(circuit: Circuit): Fault[] {
  const faults: Fault[] = [];
  const first = new Map<string, Node>();
  const signature = (node: Node): string => {
    if (node.kind !== "input") return node.kind;
    const variable = circuit.variables[node.variable];
    const states = variable?.kind === "categorical" ? variable.states : 0;
    return `${node.family} leaf over ${states} states, settings ${JSON.stringify(node.settings)}`;
  };
  const external = new Map<number, InputNode>();
  for (const node of circuit.nodes) {
    if (node.kind === "input" && isExternal(node)) {
      const before = external.get(node.variable) ?? node;
      external.set(node.variable, before);
      if (before.units !== node.units) {
        faults.push({
          where: describeNode(node),
          problem: `it reads ${node.units} log-likelihoods of ${
            describeVariable(circuit, node.variable)
          }, but ${describeNode(before)} reads ${before.units}`,
        });
      }
    }
    if (node.kind === "product" || node.parameter === undefined) continue;
    const before = first.get(node.parameter) ?? node;
    first.set(node.parameter, before);
    if (signature(before) !== signature(node)) {
      faults.push({
        where: describeNode(node),
        problem: `it shares parameter \`${node.parameter}\` with ${describeNode(before)}, but one is a ${
          signature(before)
        } and the other a ${signature(node)}`,
      });
    }
  }
  return faults;
}
