/** Flags of processes that run stages: everything except the network, since data are fetched before a run, never during it. */
export const STAGE_RIGHTS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-env",
  "--allow-sys",
  "--allow-ffi",
];
