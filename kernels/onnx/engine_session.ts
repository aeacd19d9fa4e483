import { messageOf } from "../../foundation/errors.ts";
import { type EngineChoice, resolveEngine } from "../../foundation/engine_choice.ts";
import {
  floatsOf,
  type OnnxSession,
  type OnnxSessionOptions,
  openSession,
  type TensorValue,
} from "./session.ts";

/** A graph on the engine of a run. Every run takes arrays of its own for the outputs. */
export interface EngineSession extends Pick<OnnxSession, "release"> {
  /** As {@link OnnxSession.run}, with outputs by their names; all if omitted. */
  run(
    inputs: Readonly<Record<string, TensorValue>>,
    outputs?: readonly string[],
  ): Promise<Record<string, TensorValue>>;
}

/** Options of {@link openEngineSession}. */
export interface EngineSessionOptions extends Omit<OnnxSessionOptions, "provider"> {
  /** The engine of the run; the CPU if omitted. */
  readonly engine?: EngineChoice;
  /** As in `EngineOptions`: with `auto` it selects `webgpu`. ONNX Runtime takes the fastest adapter itself. */
  readonly adapter?: string;
  /** Told what computes, and again if that changes. */
  readonly used?: (engine: string, adapter: string) => void;
  /** Told why the CPU computes where a device should. */
  readonly log?: (message: string) => void;
}

/** How far outputs of a device may be from those of the CPU, relative to the largest number of each. */
const TOLERANCE = 1e-3;

/**
 * Loads a model into ONNX Runtime on the engine of a run. Where that is `webgpu`, operators run by CUDA if ONNX Runtime has it here,
 * else by its WebGPU. The first run is computed by the CPU as well: where no device opens, or its outputs are further than 1e-3 from those of the
 * CPU, relative to the largest number of each, the CPU goes on, and `log` is told why.
 * @throws {Error} of ONNX Runtime when the model is not valid
 */
export async function openEngineSession(
  model: Uint8Array,
  options: EngineSessionOptions = {},
): Promise<EngineSession> {
  const { engine = "cpu", adapter, used = () => {}, log = () => {}, ...session } = options;
  const plain = await openSession(model, session);
  const onCpu = (reason?: string) => {
    if (reason !== undefined) log(`ONNX Runtime computes on the CPU: ${reason}`);
    used("cpu", "ONNX Runtime");
  };
  if (await resolveEngine(engine, adapter) === "cpu") {
    onCpu();
    return plain;
  }
  let problem = "";
  for (const provider of ["cuda", "webgpu"] as const) {
    try {
      const fast = await openSession(model, { ...session, provider });
      used(provider, "ONNX Runtime");
      return new CheckedSession(fast, plain, onCpu);
    } catch (error) {
      problem = messageOf(error);
    }
  }
  onCpu(`it has no adapter (${problem.split("\n")[0]})`);
  return plain;
}

/** A session of a device whose first outputs are held against those of the CPU, which takes over if they differ. */
class CheckedSession implements EngineSession {
  #session: OnnxSession;
  /** The CPU's, until the first run. */
  #reference: OnnxSession | undefined;
  readonly #giveUp: (reason: string) => void;

  constructor(session: OnnxSession, reference: OnnxSession, giveUp: (reason: string) => void) {
    this.#session = session;
    this.#reference = reference;
    this.#giveUp = giveUp;
  }

  async run(
    inputs: Readonly<Record<string, TensorValue>>,
    outputs?: readonly string[],
  ): Promise<Record<string, TensorValue>> {
    const reference = this.#reference;
    if (reference === undefined) return await this.#session.run(inputs, outputs);
    this.#reference = undefined;
    const wanted = await reference.run(inputs, outputs);
    const { found, problem } = await this.#session.run(inputs, outputs).then(
      (found) => ({ found, problem: farOutput(wanted, found) }),
      (error) => ({ found: wanted, problem: messageOf(error).split("\n")[0] }),
    );
    if (problem === undefined) {
      await reference.release();
      return found;
    }
    await this.#session.release();
    this.#session = reference;
    this.#giveUp(`the device failed at the first batch (${problem})`);
    return wanted;
  }

  async release(): Promise<void> {
    await this.#session.release();
    await this.#reference?.release();
  }
}

/** Which output is too far from the one that is wanted, in words; undefined if none is. NaN is near NaN alone. */
export function farOutput(
  wanted: Readonly<Record<string, TensorValue>>,
  found: Readonly<Record<string, TensorValue>>,
): string | undefined {
  for (const [name, value] of Object.entries(wanted)) {
    const one = floatsOf(value), other = floatsOf(found[name]!);
    let most = 0, largest = 0;
    one.forEach((x, i) => {
      const apart = Object.is(x, other[i]) ? 0 : Math.abs(x - other[i]!);
      // Written so that NaN counts.
      if (!(apart <= most)) most = apart;
      if (Math.abs(x) > largest) largest = Math.abs(x);
    });
    if (one.length !== other.length || !(most <= TOLERANCE * largest)) {
      return `\`${name}\` differs by ${most.toPrecision(3)}, its largest number is ${largest.toPrecision(3)}`;
    }
  }
  return undefined;
}
