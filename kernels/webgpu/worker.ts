/** Main module of the thread that owns the device. */
import { type Port, serveEngines } from "./serve.ts";

serveEngines(globalThis as unknown as Port, () => navigator.gpu);
