/** Writers of other programs' formats. */
export { formatJpc } from "./jpc.ts";
export { formatUai } from "./uai.ts";
