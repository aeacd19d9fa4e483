/** Main module of the threads of the engine that opens gates. */
import { serveGates } from "./serve.ts";

serveGates(globalThis as unknown as Parameters<typeof serveGates>[0]);
