/** Stores one object of a size in a folder and prints the process's peak memory in bytes. */
import { Blobs } from "../../runner/store/blobs.ts";
import { stream } from "./storing.ts";

const [folder, size] = Deno.args as [string, string];
for (const name of ["objects", "tmp"]) Deno.mkdirSync(`${folder}/${name}`, { recursive: true });
let peak = 0;
function* watched() {
  for (const piece of stream(Number(size), 1 << 20)) {
    peak = Math.max(peak, Deno.memoryUsage().rss);
    yield piece;
  }
}
await new Blobs(`${folder}/objects`, `${folder}/tmp`, `${folder}/damaged`).write(watched());
console.log(peak);
