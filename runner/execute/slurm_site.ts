/** What a site says of its Slurm, in a profile. */
export interface SlurmSite {
  /** Options of `sbatch`, as in `--partition=long`. */
  readonly options?: readonly string[] | undefined;
  /** Lines of the shell before a worker starts, as in `module load deno`. */
  readonly setup?: readonly string[] | undefined;
  /** Jobs that wait or run at once, at most. */
  readonly jobs?: number | undefined;
  /** Seconds for which a worker without a job waits for one; 30 where nothing is said. */
  readonly idle?: number | undefined;
  /** Seconds after which Slurm ends a worker; the cluster's own limit without it. */
  readonly time?: number | undefined;
}
