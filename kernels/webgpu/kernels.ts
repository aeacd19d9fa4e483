import { getOrMake } from "../../foundation/newer.ts";
import { RetortError } from "../../foundation/errors.ts";
import { watch } from "./consent.ts";
import type { OpenDevice } from "./device.ts";
import { Portions } from "./portions.ts";
import { type Constants, specialise } from "./template.ts";
import * as shaders from "./shaders/mod.ts";

/** The templates by name, and the common part. */
const { common, ...TEMPLATES } = shaders;

/** Name of a template. */
export type TemplateName = Exclude<keyof typeof shaders, "common">;

/** A kernel: a template and its specialisation. */
export interface KernelSpec {
  /** The template. */
  readonly template: TemplateName;
  /** Its constants. */
  readonly constants: Constants;
  /** Replacements of lines `//# paste NAME`, by name; the constant `KIND` distinguishes kernels with different snippets. */
  readonly snippets?: Readonly<Record<string, string>>;
}

/** Compiles kernels, each once per device, those of a request in parallel. */
export class Kernels {
  /** The portions of grids for dispatches. */
  readonly portions: Portions;
  readonly #open: OpenDevice;
  readonly #device: GPUDevice;
  readonly #compiled = new Map<string, Promise<GPUComputePipeline>>();
  #subgroups: Promise<string> | undefined;

  /** Creates a cache for the device of `open`. */
  constructor(open: OpenDevice) {
    this.#open = open;
    this.#device = open.device;
    this.portions = new Portions(open.device);
  }

  /** Number of kernels so far. */
  get size(): number {
    return this.#compiled.size;
  }

  /** Returns a compiled kernel. @throws {RetortError} with its name and the compiler's words */
  get(spec: KernelSpec): Promise<GPUComputePipeline> {
    return getOrMake(this.#compiled, kernelName(spec), () => this.#compile(spec));
  }

  /** The directive that enables subgroup functions: required by browsers, refused by Deno 2.9.6. */
  #enableSubgroups(): Promise<string> {
    const line = "enable subgroups;\n";
    this.#subgroups ??= watch(this.#device, () => this.#device.createShaderModule({ code: line }))
      .problem.then((problem) => problem === undefined ? line : "");
    return this.#subgroups;
  }

  async #compile(spec: KernelSpec): Promise<GPUComputePipeline> {
    const label = kernelName(spec), source = wgslOf(spec);
    const device = this.#device;
    const code = /\bsubgroup\w+\(/.test(source) ? await this.#enableSubgroups() + source : source;
    this.#checkWorkgroup(label, code);
    const { value: made, problem } = watch(device, () => {
      const module = device.createShaderModule({ label, code });
      const bindings = device.createBindGroupLayout({ label, entries: entriesOf(code) });
      const layout = device.createPipelineLayout({
        label,
        bindGroupLayouts: [bindings, this.portions.layout],
      });
      return device.createComputePipelineAsync({ label, layout, compute: { module } });
    });
    // The requester gets the error below; without this the runtime would report an unhandled rejection.
    made.catch(() => {});
    const invalid = await problem;
    if (invalid !== undefined) {
      throw new RetortError("gpu/kernel", `kernel ${label} does not compile: ${invalid.message.trim()}`);
    }
    try {
      return await made;
    } catch (error) {
      throw new RetortError("gpu/kernel", `kernel ${label} does not compile: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** @throws {RetortError} for workgroups and bindings that the device has not */
  #checkWorkgroup(label: string, code: string): void {
    const { invocations, storageBuffers } = this.#open.limits;
    const [, x, y] = /@workgroup_size\((\d+)(?:,\s*(\d+))?\)/.exec(code) ?? [];
    const threads = Number(x) * Number(y ?? 1);
    if (threads > invocations) {
      throw new RetortError(
        "gpu/limits",
        `kernel ${label} has workgroups of ${threads} threads, this device allows ${invocations}`,
      );
    }
    const buffers = entriesOf(code).filter(({ buffer }) => buffer?.type !== "uniform").length;
    if (buffers > storageBuffers) {
      throw new RetortError(
        "gpu/limits",
        `kernel ${label} reads ${buffers} buffers, this device allows ${storageBuffers}`,
      );
    }
  }
}

/** The WGSL of a kernel, without the directive that enables subgroups. */
export function wgslOf({ template, constants, snippets = {} }: KernelSpec): string {
  const pasted = TEMPLATES[template].replace(/^\s*\/\/# paste (\w+)$/gm, (line, name) => {
    const snippet = snippets[name];
    if (snippet === undefined) throw new SyntaxError(`WGSL template ${template}: nothing for ${line.trim()}`);
    return snippet;
  });
  return specialise(`${common}\n${pasted}`, constants);
}

const COMPUTE = 0x4;

/** Bind group layout from a kernel's declarations, used or not: layouts derived from use would differ between variants. */
function entriesOf(code: string): GPUBindGroupLayoutEntry[] {
  return [
    ...code.matchAll(/@group\(0\) @binding\((\d+)\)\s*var<(uniform|storage, read_write|storage, read)>/g),
  ]
    .map(([, binding, kind]) => ({
      binding: Number(binding),
      visibility: COMPUTE,
      buffer: {
        type: kind === "uniform" ? "uniform" : kind === "storage, read" ? "read-only-storage" : "storage",
      },
    }));
}

/** Name of a kernel in messages and profiles: `matmul FORM=forward TILE=subgroup …`. */
export function kernelName({ template, constants }: KernelSpec): string {
  return [template, ...Object.entries(constants).map(([name, value]) => `${name}=${value}`)].join(" ");
}
