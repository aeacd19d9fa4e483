/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { shownState, worstState } from "../../parts/status.tsx";
import { BOXES, type BoxKind } from "../../view/graph_boxes.ts";
import type { NodeView } from "../../view/run.ts";
import type { RunGraph } from "../graph.ts";
import { useAsk } from "./client.ts";
import { Shown } from "./frame.tsx";
import { usePanning } from "./panning.ts";

const WORDS: Record<BoxKind, string> = {
  nodes: "every node",
  chains: "chains as one box",
  stages: "a box a stage",
};

/**
 * A run's graph, fitted to the window, with zooming, panning and search. Boxes change colour with the states of their
 * nodes.
 */
export function RunGraphView(
  { id, nodes, loaded: stamp }: {
    id: string;
    nodes: readonly NodeView[];
    /** Changes when the run is reloaded, because boxes then show more. */
    loaded: number;
  },
) {
  const [kind, setKind] = useState<BoxKind>();
  const [direction] = useState(() => matchMedia("(max-width: 40rem)").matches ? "down" : "right");
  const query = new URLSearchParams({ id, direction, ...(kind === undefined ? {} : { boxes: kind }) });
  const loaded = useAsk<RunGraph>(`api/graph?${query}`);
  const first = useRef(stamp);
  useEffect(() => {
    if (stamp !== first.current) loaded.reload();
    first.current = stamp;
  }, [stamp]);
  return (
    <>
      <div class="bar">
        <label>
          Drawn{" "}
          <select
            value={kind ?? loaded.value?.kind ?? "nodes"}
            onChange={(event) => setKind(event.currentTarget.value as BoxKind)}
          >
            {BOXES.map((one) => <option key={one} value={one}>{WORDS[one]}</option>)}
          </select>
        </label>
      </div>
      <Shown loaded={loaded}>
        {(graph) => <Drawn key={graph.kind} graph={graph} nodes={nodes} />}
      </Shown>
    </>
  );
}

function Drawn({ graph, nodes }: { graph: RunGraph; nodes: readonly NodeView[] }) {
  const holder = useRef<HTMLDivElement>(null);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const states = graph.boxes.map((names) =>
    worstState(names.flatMap((name) => byName.has(name) ? [shownState(byName.get(name)!)] : []))
  );
  const [text, setText] = useState("");
  const [current, setCurrent] = useState(0);
  const found = text === "" ? [] : graph.boxes.flatMap((names, i) =>
    names.some((name) => {
        const node = byName.get(name);
        return `${name} ${node?.stage} ${node?.state}`.toLowerCase().includes(text.toLowerCase());
      })
      ? [i]
      : []
  );
  const busy = Math.max(0, states.findIndex((state) => /failed|killed|running/.test(state)));
  const { panning, show } = usePanning(holder, graph.svg, busy);
  useEffect(() => {
    states.forEach((state, i) => {
      const mark = text === ""
        ? ""
        : !found.includes(i)
        ? " missed"
        : found[current] === i
        ? " current"
        : " found";
      holder.current?.querySelector(`#graph-node-${i}`)?.setAttribute("class", `node state-${state}${mark}`);
    });
  }, [graph.svg, states.join(), text, current]);
  const go = (at: number) => {
    if (found.length === 0) return;
    const next = (at + found.length) % found.length;
    setCurrent(next);
    show(found[next]!);
  };
  useEffect(() => go(0), [text]);
  return (
    <>
      <div class="bar">
        <button type="button" onClick={panning.fit}>Fit</button>
        <button type="button" aria-label="Nearer" onClick={() => panning.zoom(1.4)}>+</button>
        <button type="button" aria-label="Farther" onClick={() => panning.zoom(1 / 1.4)}>−</button>
        <form
          class="bar"
          onSubmit={(event) => {
            event.preventDefault();
            go(current + 1);
          }}
        >
          <label>
            Find <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
          <button type="submit" disabled={found.length < 2}>Next</button>
          <span role="status" class="faint">
            {text === "" ? "" : found.length === 0 ? "nothing found" : `${current + 1} of ${found.length}`}
          </span>
        </form>
      </div>
      <div
        ref={holder}
        class="graph viewport"
        tabIndex={0}
        role="region"
        aria-label="the pipeline's graph; arrows move it, + and − zoom, 0 fits it; the table of nodes says the same"
        dangerouslySetInnerHTML={{ __html: graph.svg }}
        {...panning.handlers}
      />
    </>
  );
}
