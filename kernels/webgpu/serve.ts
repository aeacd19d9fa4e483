import type { Circuit } from "../../circuits/mod.ts";
import { WebGpuEngine } from "./engine.ts";
import { DeviceHost } from "./host.ts";
import { WebGpuKMeans } from "./kmeans.ts";
import {
  buffersOf,
  type CallName,
  type End,
  type OpenOptions,
  plainError,
  type Reply,
  type Request,
  type ThreadSettings,
} from "./protocol.ts";

/** The other thread, as seen by the thread that owns the device. */
export interface Port {
  /** Sends a message; objects in `transfer` are moved. */
  postMessage(message: Reply, transfer: Transferable[]): void;
  /** Called with the other thread's messages. */
  onmessage: ((event: MessageEvent<Request | ThreadSettings | End>) => void) | null;
}

/** Serves engines and k-means on the device of `gpu` to the thread behind `port`: the worker's task. */
export function serveEngines(port: Port, gpu: () => GPU | undefined): void {
  const served = new Map<number, Promise<WebGpuEngine | WebGpuKMeans>>();
  let host: DeviceHost | undefined;

  const onLoss = (number: number) => (reason: string) =>
    port.postMessage({ type: "loss", engine: number, reason }, []);

  const open = async (number: number, name: "open" | "openKMeans", args: readonly unknown[]) => {
    if (name === "open") {
      const [circuit, options] = args as [Circuit, OpenOptions];
      const opening = WebGpuEngine.open(host as DeviceHost, circuit, {
        ...options,
        // Arguments arrive as copies.
        ownsSamples: true,
        onLoss: onLoss(number),
      });
      served.set(number, opening);
      const { adapter, tuning } = await opening;
      return { adapter, tuning };
    }
    const [width, clusters, options] = args as [number, number, { memory?: number }];
    const opening = WebGpuKMeans.open(host as DeviceHost, width, clusters, {
      ...options,
      onLoss: onLoss(number),
    });
    served.set(number, opening);
    return { adapter: (await opening).adapter };
  };

  const perform = async ({ engine: number, name, args }: Request): Promise<unknown> => {
    if (name === "open" || name === "openKMeans") return await open(number, name, args);
    const one = await served.get(number) as WebGpuEngine | WebGpuKMeans;
    if (name === "close" || name === "release") served.delete(number);
    if (name === "loseDevice") return (await (host as DeviceHost).ready()).open.device.destroy();
    const calls = one as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
    const result = await calls[name]?.(...args);
    if (name !== "activations") return result;
    const { of } = result as { of(node: number): Float64Array };
    return (one as WebGpuEngine).circuit.nodes.map(({ id }) => of(id));
  };

  port.onmessage = ({ data }) => {
    if (data.type === "settings") host = new DeviceHost(gpu(), data.device);
    else if (data.type === "end") {
      // Whatever happened to the device, the thread is finished with it.
      (host as DeviceHost).close().catch(() => {}).then(() => port.postMessage({ type: "ended" }, []));
    } else {
      perform(data).then(
        (value) => port.postMessage({ type: "result", id: data.id, value }, [...given(data.name, value)]),
        (error) => port.postMessage({ type: "error", id: data.id, error: plainError(error) }, []),
      );
    }
  };
}

/** Result buffers that the engine does not retain, and that can be moved. */
function given(name: CallName, value: unknown): Iterable<ArrayBuffer> {
  return name === "state" ? [] : buffersOf(value);
}
