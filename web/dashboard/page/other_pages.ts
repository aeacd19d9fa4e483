/** All pages but the list of runs, one script: they share what draws charts, and a link from one to another waits for none. */
export { RunPage } from "./run.tsx";
export { NodePage } from "./node.tsx";
export { ArtifactPage } from "./artifact.tsx";
export { ExplorePage } from "./explore.tsx";
export { ComparePage } from "./compare.tsx";
