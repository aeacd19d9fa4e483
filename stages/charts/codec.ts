import { z } from "zod";
import { shownFiles } from "../../foundation/file_names.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { type LineChart, lineChart } from "./line_chart.ts";

/** A chart to be written. */
export interface NamedChart {
  /** Name of the file without its ending: letters, digits, `-`, `_`. */
  readonly name: string;
  /** What it shows; also what stands below it. */
  readonly chart: LineChart;
}

/** A drawing that is made already. */
export interface NamedDrawing {
  /** Name of the file without its ending: letters, digits, `-`, `_`. */
  readonly name: string;
  /** What stands below it. */
  readonly caption: string;
  /** SVG text that needs no style sheet. */
  readonly svg: string;
}

/** A chart as it lies in an artifact. */
export interface ChartFile {
  /** Name of the SVG file. */
  readonly file: string;
  /** What it shows. */
  readonly caption: string;
  /** The SVG file. */
  text(): Promise<string>;
}

const listed = z.array(z.strictObject({ file: z.string(), caption: z.string() }));

/** Charts to look at: SVG files. Facts: `pictures`, a list of `file` and `caption`, as pages show them. */
export const charts: Codec<readonly ChartFile[], readonly (NamedChart | NamedDrawing)[], "charts"> =
  defineCodec<readonly ChartFile[], readonly (NamedChart | NamedDrawing)[], "charts">({
    name: "charts",
    version: 1,
    summary: (value) => value.map(({ file, caption }) => `${file}: ${caption}`).join("\n"),
    async write(value, out) {
      const files = shownFiles(value.map(({ name }) => name), "svg", "chart")
        .map((file, i) => ({ file, caption: captionOf(value[i]!) }));
      for (const [i, { file }] of files.entries()) {
        const one = value[i]!;
        await out.text(file, "svg" in one ? one.svg : await lineChart(one.chart));
      }
      await out.json("pictures.json", files);
      return { pictures: files };
    },
    async read(artifact) {
      return listed.parse(await artifact.json("pictures.json")).map((entry) => ({
        ...entry,
        text: () => artifact.text(entry.file),
      }));
    },
  });

function captionOf(one: NamedChart | NamedDrawing): string {
  return "svg" in one ? one.caption : one.chart.title;
}
