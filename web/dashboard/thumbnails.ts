import { REFERENCE } from "../../foundation/palette.ts";
import { liveStatus } from "../../runner/liveness.ts";
import { recordedAnswer } from "../../runner/recorded_answer.ts";
import type { Records } from "../../runner/records/records.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import type { RunAnswer } from "../../runner/answer.ts";
import type { Store } from "../../runner/store/store.ts";
import { barOf, metricText, spreadValue, verdictOf } from "../../runner/verdict.ts";
import { metricParts, seriesStyles, thin } from "../view/curves.ts";
import { armRoles, roleOf, type Roles } from "../view/roles.ts";
import { viewRun } from "../view/run.ts";
import { WrongQuestion } from "./wrong_question.ts";

/** What a run came to, small enough for a list: a bar an arm, or curves. */
export interface Thumbnail {
  /** What is drawn, in words. */
  readonly title: string;
  /** Arms of the answer at one setting: their values as text and as shares of the largest. */
  readonly bars: readonly {
    readonly label: string;
    readonly text: string;
    readonly share: number;
    readonly colour: number;
    /** Whether some training was cut off. */
    readonly open: boolean;
  }[];
  /** Curves in a square of 1, from the lower left. */
  readonly lines: readonly {
    readonly label: string;
    readonly colour: number;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
}

/** Most runs asked for at once, most arms of one, most curves of one, and points of a curve. */
const ASKED = 50, ARMS = 4, CURVES = 6, POINTS = 40;

/** Thumbnails of runs that have ended, which do not change any more. */
export class Thumbnails {
  readonly #known = new Map<string, Thumbnail | null>();

  /** Thumbnails of the runs of a query, by id; null where there is nothing to draw (yet). */
  async of(
    store: Store,
    records: Records,
    query: URLSearchParams,
  ): Promise<Record<string, Thumbnail | null>> {
    const ids = query.getAll("run");
    if (ids.length > ASKED) {
      throw new WrongQuestion("page/argument", `at most ${ASKED} runs are drawn at once`);
    }
    const found: Record<string, Thumbnail | null> = {};
    for (const id of ids) found[id] = await this.#one(store, records, resolveRun(records, id));
    return found;
  }

  async #one(store: Store, records: Records, run: RunRecord): Promise<Thumbnail | null> {
    const known = this.#known.get(run.id);
    if (known !== undefined) return known;
    const drawn = await thumbnailOf(store, records, run);
    if (liveStatus(store, run) !== "running") this.#known.set(run.id, drawn);
    return drawn;
  }
}

async function thumbnailOf(store: Store, records: Records, run: RunRecord): Promise<Thumbnail | null> {
  const answer = await recordedAnswer(store, records, run.id);
  if (answer === undefined) return curvesOfRun(store, records, run);
  const roles = armRoles(
    records.question(run.id)?.headline ?? null,
    records.arms(run.id).map(({ arm }) => arm),
  );
  const title = `${answer.question} ${sentenceOf(answer)}`;
  const [group, another] = answer.groups;
  if (another !== undefined) return { title, bars: [], lines: settingLines(answer, roles) };
  return {
    title,
    lines: [],
    bars: group!.arms.filter(({ role }) => role !== "reference").slice(0, ARMS).map((arm) => ({
      label: arm.label,
      text: spreadValue(answer, arm),
      share: lengthOf(barOf({ ...answer, groups: [{ ...group!, arms: group!.arms.filter(isOwn) }] }, arm)),
      colour: roleOf(roles, arm),
      open: arm.open > 0,
    })),
  };
}

/** Bars begin at 0, which for negative values is their end. */
function lengthOf({ from, to }: { readonly from: number; readonly to: number }): number {
  return to - from;
}

function isOwn({ role }: { readonly role: string }): boolean {
  return role !== "reference";
}

function sentenceOf(answer: RunAnswer): string {
  return `${verdictOf(answer).text}; ${metricText(answer)}`;
}

/** A line an arm over the settings, in their order. */
function settingLines({ groups }: RunAnswer, roles: Roles): Thumbnail["lines"] {
  const arms = new Map<string, { label: string; colour: number; points: [number, number][] }>();
  groups.forEach((group, i) => {
    for (const arm of group.arms.filter(isOwn)) {
      const one = arms.get(arm.arm) ?? { label: arm.label, colour: roleOf(roles, arm), points: [] };
      arms.set(arm.arm, one);
      one.points.push([i, arm.mean]);
    }
  });
  return inSquare([...arms.values()].slice(0, CURVES));
}

/** The first chart of a run's page. */
function curvesOfRun(store: Store, records: Records, run: RunRecord): Thumbnail | null {
  const [chart] = viewRun(store, records, run).charts;
  if (chart === undefined) return null;
  const styles = seriesStyles(chart.series);
  return {
    title: `${metricParts(chart.metric).name} of ${chart.stage}`,
    bars: [],
    lines: inSquare(
      chart.series.slice(0, CURVES).map(({ label, points }) => ({
        label,
        colour: styles.get(label)?.colour ?? REFERENCE,
        points: thin(points.filter((point) => point[1] !== null) as [number, number][], POINTS),
      })),
    ),
  };
}

function inSquare(lines: Thumbnail["lines"]): Thumbnail["lines"] {
  const all = lines.flatMap(({ points }) => points);
  const scale = (i: 0 | 1) => {
    const values = all.map((point) => point[i]);
    const [from, to] = [Math.min(...values), Math.max(...values)];
    return (value: number) => Math.round(1000 * (to === from ? 0.5 : (value - from) / (to - from))) / 1000;
  };
  const [x, y] = [scale(0), scale(1)];
  return lines.map((line) => ({ ...line, points: line.points.map(([a, b]) => [x(a), y(b)] as const) }));
}
