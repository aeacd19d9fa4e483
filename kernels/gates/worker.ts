/** Main module of the threads of the engine that opens gates. */
import { type MessagePort, parentPort } from "node:worker_threads";
import { serveGates } from "./serve.ts";

serveGates(parentPort as MessagePort);
