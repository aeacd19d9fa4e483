import type { Circuit } from "../../circuits/mod.ts";
import { WebGpuEngine } from "./engine.ts";
import { DeviceHost } from "./host.ts";
import { buffersOf, type CallName, plainError, type Reply, type Request, type Settings } from "./protocol.ts";

/** The other thread as the one with the device sees it. */
export interface Port {
  /** Sends; what is in `transfer` is moved. */
  postMessage(message: Reply, transfer: Transferable[]): void;
  /** Called with what the other thread sends. */
  onmessage: ((event: MessageEvent<Request | Settings>) => void) | null;
}

/** Serves engines on the device of `gpu` to the thread behind `port`: what the worker does. */
export function serveEngines(port: Port, gpu: () => GPU | undefined): void {
  const engines = new Map<number, Promise<WebGpuEngine>>();
  let host: DeviceHost | undefined;

  const open = (number: number, circuit: Circuit, options: { memory?: number }) => {
    const opening = WebGpuEngine.open(host as DeviceHost, circuit, {
      ...options,
      // What arrives here is a copy.
      ownsSamples: true,
      onLoss: (reason) => port.postMessage({ type: "loss", engine: number, reason }, []),
    });
    engines.set(number, opening);
    return opening.then(({ adapter }) => ({ adapter }));
  };

  const perform = async ({ engine: number, name, args }: Request): Promise<unknown> => {
    if (name === "open") return await open(number, args[0] as Circuit, args[1] as { memory?: number });
    const engine = await engines.get(number) as WebGpuEngine;
    if (name === "close") engines.delete(number);
    if (name === "loseDevice") return engine.session.open.device.destroy();
    const call = engine[name] as (...args: unknown[]) => unknown;
    const result = await call.apply(engine, [...args]);
    if (name !== "activations") return result;
    const { of } = result as { of(node: number): Float64Array };
    return engine.circuit.nodes.map(({ id }) => of(id));
  };

  port.onmessage = ({ data }) => {
    if (data.type === "settings") host = new DeviceHost(gpu(), data.device);
    else {
      perform(data).then(
        (value) => port.postMessage({ type: "result", id: data.id, value }, [...given(data.name, value)]),
        (error) => port.postMessage({ type: "error", id: data.id, error: plainError(error) }, []),
      );
    }
  };
}

/** Memory of results that the engine keeps no hand on. */
function given(name: CallName, value: unknown): Iterable<ArrayBuffer> {
  return name === "state" || name === "open" ? [] : buffersOf(value);
}
