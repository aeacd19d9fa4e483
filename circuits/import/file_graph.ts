import type { NodeId } from "../circuit.ts";
import type { WordReader } from "./lines.ts";

/** A node as defined by a line of a file. */
export interface FileNode {
  /** The line, for messages. */
  readonly reader: WordReader;
  /** Ids of its children, all defined before it. */
  readonly children: readonly number[];
  /** The variable of a leaf, counted from 1 as in the file. 0 for inner nodes. */
  readonly variable: number;
}

/** The nodes of a file by id, in file order; the last one is the root. */
export class FileGraph<N extends FileNode> {
  readonly #nodes = new Map<number, N>();
  #root = -1;

  /** Adds a node. @throws {CircuitError} when its id is taken or a child is not defined yet */
  add(id: number, node: N): void {
    if (this.#nodes.has(id)) node.reader.fail(`node ${id} is defined twice`);
    if (node.variable < 0) node.reader.fail(`variable ${node.variable}: they count from 1`);
    const missing = node.children.find((child) => !this.#nodes.has(child));
    if (missing !== undefined) node.reader.fail(`node ${missing} is not defined before it is used`);
    this.#nodes.set(id, node);
    this.#root = id;
  }

  /** The nodes reachable from the root, children first. */
  needed(): [number, N][] {
    const needed = new Set([this.#root]);
    for (const [id, node] of [...this.#nodes].reverse()) {
      if (needed.has(id)) { for (const child of node.children) needed.add(child); }
    }
    return [...this.#nodes].filter(([id]) => needed.has(id));
  }

  /**
   * The variables that the root depends on, ascending. @throws {CircuitError} when a line is about another one: then the
   * last node of the file is not its root
   */
  variables(): number[] {
    const variables = new Set(this.needed().map(([, { variable }]) => variable));
    for (const { variable, reader } of this.#nodes.values()) {
      if (variables.has(variable) || variable === 0) continue;
      reader.fail(
        `the last node of the file, its root, does not depend on variable ${variable}; the file may be cut short`,
      );
    }
    return [...variables].filter((v) => v > 0).sort((a, b) => a - b);
  }

  /** The root's node in a circuit, built by calling `make` for every reachable node, children first. */
  build(make: (node: N, id: number, children: readonly NodeId[]) => NodeId): NodeId {
    const made = new Map<number, NodeId>();
    for (const [id, node] of this.needed()) {
      made.set(id, make(node, id, node.children.map((child) => made.get(child) as NodeId)));
    }
    return made.get(this.#root) as NodeId;
  }
}
