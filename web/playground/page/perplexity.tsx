import type { TextEpoch, TextFloors } from "../../../browser/train.ts";

const WIDTH = 560, HEIGHT = 180, LEFT = 48, RIGHT = 110, TOP = 10, BOTTOM = 24;

/** Perplexity by epoch on a logarithmic scale, against those of single tokens and of pairs. */
export function PerplexityCurve({ epochs, floors }: { epochs: readonly TextEpoch[]; floors: TextFloors }) {
  // The start is so bad that nothing else would be seen; it stands in the table.
  const shown = epochs.length > 2 ? epochs.slice(1) : epochs;
  const values = [...shown.map((one) => one.perplexity), floors.unigram, floors.bigram];
  const low = Math.log(Math.min(...values) * 0.9), high = Math.log(Math.max(...values) * 1.1);
  const first = shown[0]!.epoch, last = Math.max(first + 1, shown.at(-1)!.epoch);
  const x = (epoch: number) => LEFT + (WIDTH - LEFT - RIGHT) * (epoch - first) / (last - first);
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (high - Math.log(value)) / (high - low);
  const lines = [["single tokens", floors.unigram], ["pairs", floors.bigram]] as const;
  return (
    <svg
      class="perplexity"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`perplexity falls to ${
        Math.min(...shown.map((one) => one.perplexity)).toFixed(1)
      }; single tokens ${floors.unigram.toFixed(1)}, pairs ${floors.bigram.toFixed(1)}`}
    >
      {lines.map(([name, value]) => (
        <g key={name} class="floor">
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={WIDTH - RIGHT + 6} y={y(value) + 4}>{name} {value.toFixed(0)}</text>
        </g>
      ))}
      <polyline points={shown.map((one) => `${x(one.epoch)},${y(one.perplexity)}`).join(" ")} />
      {shown.map((one) => <circle key={one.epoch} cx={x(one.epoch)} cy={y(one.perplexity)} r={2.5} />)}
      <text x={LEFT - 6} y={y(shown[0]!.perplexity) + 4} class="end">{shown[0]!.perplexity.toFixed(0)}</text>
      {shown.length > 1 && (
        <text x={x(shown.at(-1)!.epoch) + 6} y={y(shown.at(-1)!.perplexity) - 6}>
          {shown.at(-1)!.perplexity.toFixed(1)}
        </text>
      )}
      <text x={LEFT} y={HEIGHT - 6}>epoch {first}</text>
      <text x={WIDTH - RIGHT} y={HEIGHT - 6} class="end">{shown.at(-1)!.epoch}</text>
    </svg>
  );
}
