/** Writers for the file formats of other programs. */
export { formatJpc } from "./jpc.ts";
export { formatUai } from "./uai.ts";
