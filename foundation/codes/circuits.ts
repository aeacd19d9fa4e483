import type { CodeEntry } from "./entry.ts";

/** Codes of the room `circuits`. */
export type CircuitCode =
  | "circuit/argument"
  | "circuit/shape"
  | "circuit/units"
  | "circuit/unknown-node"
  | "circuit/unknown-variable"
  | "circuit/unknown-parameter"
  | "circuit/duplicate-parameter"
  | "circuit/unknown-family"
  | "circuit/invalid"
  | "circuit/not-smooth"
  | "circuit/not-decomposable"
  | "circuit/parameter-values"
  | "circuit/not-deterministic"
  | "circuit/no-latent"
  | "circuit/latent-choice"
  | "circuit/no-states"
  | "circuit/not-replaceable"
  | "circuit-file/missing"
  | "circuit-file/damaged"
  | "circuit-file/invalid"
  | "circuit-file/version"
  | "model-file/unreadable"
  | "model-file/format"
  | "model-file/syntax"
  | "model-file/invalid"
  | "model-file/too-large"
  | "model-file/inexpressible"
  | "table/empty"
  | "table/column-types"
  | "table/syntax"
  | "samples/shape"
  | "samples/value"
  | "samples/weights"
  | "samples/external"
  | "samples/soft-evidence"
  | "samples/impossible"
  | "learning/base"
  | "learning/missing-value"
  | "learning/uncounted-latent"
  | "learning/hmm-counts"
  | "learning/counts"
  | "learning/not-finite"
  | "learning/no-samples"
  | "learning/spread"
  | "learning/state-copies"
  | "learning/state"
  | "learning/finished"
  | "structure/size"
  | "structure/other-variables"
  | "structure/not-a-stack"
  | "structure/patches";

/** What they mean. */
export const circuitCodes: Readonly<Record<CircuitCode, CodeEntry>> = {
  "circuit/argument": {
    means: "An argument of a function or an option has the wrong type or lies outside its range.",
    example: "the pseudocount is -1, expected a number from 0",
    remedy: "Pass a value of the kind and range that the message names.",
  },
  "circuit/shape": {
    means: "A list of numbers does not have the shape that its place needs.",
    example: "`weights` has the shape [2, 3]; got numbers of the shape [3, 2]",
    remedy: "Check the order of the dimensions and the length of the array.",
  },
  "circuit/units": {
    means:
      "Circuits or nodes that are to be combined have different numbers of units, or a root has more than one.",
    example: "the root has 4 units; this needs a circuit with a root of 1 unit",
    remedy:
      "Build both with the same number of units; `mixtureOfUnits(circuit)` makes one root unit of several.",
  },
  "circuit/unknown-node": {
    means: "No node, or more than one, has the id or the name that was asked for, or a node lacks the unit.",
    example: "the circuit has 0 nodes named `z9`, expected one",
    remedy: "Ids are positions in `circuit.nodes`. Give nodes a `name` of their own when you build them.",
  },
  "circuit/unknown-variable": {
    means: "A variable was named that the circuit does not have.",
    example: 'the circuit has no variable the string "age": it has 3, numbered from 0',
    remedy: "Variables are numbered from 0 in the order in which they were added.",
  },
  "circuit/unknown-parameter": {
    means: "A parameter was named that the circuit does not have.",
    example: "the circuit has no parameter `emissions`; it has `transition`, `emission`",
    remedy: "`circuit.parameters` holds all parameters by id.",
  },
  "circuit/duplicate-parameter": {
    means: "Two parameters of a circuit under construction have the same id.",
    example: "there is already a parameter `S12`",
    remedy: "Choose another id. To share a parameter between nodes, pass its id instead of new values.",
  },
  "circuit/unknown-family": {
    means: "No leaf family has this name.",
    example: "there is no leaf family `cauchy`",
    remedy: "Use one of the families that the hint lists.",
  },
  "circuit/invalid": {
    means:
      "The structure of a circuit breaks a rule: order of nodes, shapes of parameters, settings of leaves, variables that the root misses, nodes without use. Every fault is listed.",
    example: "a product needs at least one child",
    remedy: "Fix the nodes that the message names. `structureFaults(circuit)` returns the list.",
  },
  "circuit/not-smooth": {
    means:
      "The children of a sum node depend on different variables, so that marginals would not be what the circuit computes.",
    example: "this is not a valid circuit",
    remedy:
      "Give all children of a sum the same scope, e.g. by multiplying with leaves for the missing variables.",
  },
  "circuit/not-decomposable": {
    means: "Two children of a product node depend on the same variable.",
    example: "this is not a valid circuit",
    remedy: "Let every variable occur below one child of a product only.",
  },
  "circuit/parameter-values": {
    means: "Parameters make no distribution: negative numbers, NaN, or rows that do not sum to 1.",
    example: "the circuit has parameters that are not distributions",
    remedy: "Normalise each row before you set it. The message lists parameters and rows.",
  },
  "circuit/not-deterministic": {
    means: "Exact MAP was asked of a circuit where several children of a sum node can be possible at once.",
    example:
      "exact MAP needs a deterministic circuit, and sum node 12 `z0` may mix inputs that are possible at once",
    remedy:
      "Use `materialise` on the sum nodes (MAP then includes their latent variables), or use `maxProduct`.",
  },
  "circuit/no-latent": {
    means:
      "A node was taken for a latent variable, but is no sum node or shares its latent variable with others.",
    example: "product node 3 is not a sum node: it has no latent variable",
    remedy: "Choose sum nodes. Structures name theirs `z0`, `z1`, ...",
  },
  "circuit/latent-choice": {
    means: "The sum nodes chosen for materialisation do not fit together.",
    example: "sum node 12 `z0` is chosen twice",
    remedy: "List each node once; nodes that share a latent variable need the same number of inputs.",
  },
  "circuit/no-states": {
    means:
      "States were asked of a variable that has none (real or external), or a state that it does not have.",
    example: "variable 2 `height` is real: it has no states to list",
    remedy: "Ask for a categorical variable; use `conditionalMean` for real ones.",
  },
  "circuit/not-replaceable": {
    means: "A circuit cannot take the place of a leaf of this family.",
    example: "input node 4 is a gaussian leaf: there is no rule to put a circuit in its place",
    remedy: "Replace external or categorical leaves.",
  },
  "circuit-file/missing": {
    means: "There is no circuit in the folder that was given.",
    example: "there is no circuit in models/hmm: the file circuit.json is missing",
    remedy: "Give the folder that `saveCircuit` wrote.",
  },
  "circuit-file/damaged": {
    means: "A file of tensors or of a structure cannot be decoded: cut short, changed, or of another format.",
    example: "parameters.safetensors: it has 3 bytes, too few for a header",
    remedy: "Write or fetch the file again.",
  },
  "circuit-file/invalid": {
    means:
      "A file can be decoded but does not hold what it should: a valid circuit, or the tensors of a stored value.",
    example: "models/hmm holds no valid circuit",
    remedy: "Make it again with `saveCircuit`; the message lists what is wrong in it.",
  },
  "circuit-file/version": {
    means: "The file was written by a newer version of Retort.",
    example: "models/hmm has the version 3 of the format; this program reads up to 1",
    remedy: "Use the version of Retort that wrote it, or a newer one.",
  },
  "model-file/unreadable": {
    means: "A model or table file cannot be opened or unpacked.",
    example: "net.uai cannot be read: there is no such file",
    remedy: "Check the path and the permissions, and that a gzip file is whole.",
  },
  "model-file/format": {
    means: "A file is not of the format that its reader expects.",
    example: "this is not a .uai file: it begins with `NET`, expected BAYES or MARKOV",
    remedy:
      "Choose the reader by the format of the file (.ac, .jpc, .spn, .uai, .csv); unpack archives first.",
  },
  "model-file/syntax": {
    means: "A model file breaks the rules of its format, or was cut short. The message names line or factor.",
    example: ".uai: factor 3 names a variable twice",
    remedy: "Get the file again, or mend the place that the message names.",
  },
  "model-file/invalid": {
    means:
      "A graphical model is not consistent: unknown variables, tables of the wrong size, or no possible state.",
    example: "the model has no state with a probability above 0",
    remedy: "Correct the factors that the message lists.",
  },
  "model-file/too-large": {
    means: "The circuit that a model compiles to would be too large.",
    example: ".jpc: its categorical leaves have tables of 300000000 numbers together",
    remedy:
      "Use a model of lower treewidth or of fewer states, or give an elimination order of smaller width.",
  },
  "model-file/inexpressible": {
    means: "The format cannot express something that the circuit has.",
    example: "a .jpc file holds one distribution; the root of this circuit has 4 units",
    remedy: "Save the circuit with `saveCircuit`, which keeps everything.",
  },
  "table/empty": {
    means: "A table has no rows.",
    example: "the table has no rows",
    remedy: "Check the file; with `header: true` the first row counts as names.",
  },
  "table/column-types": {
    means: "The cells of a table leave open, or contradict, what its columns are.",
    example: "the table leaves open what its columns are",
    remedy: "Give `types` for the columns that the message lists.",
  },
  "table/syntax": {
    means: "A table is no valid CSV: rows of different lengths or quotation marks that do not close.",
    example: "the table is not valid CSV: Invalid Record Length: expect 3, got 2 on line 7",
    remedy: "Mend the line; a cell with a delimiter stands between quotation marks.",
  },
  "samples/shape": {
    means: "Samples do not have the rows, columns or arrays that were expected.",
    example: "the samples have 3 columns, but the circuit has 4 variables",
    remedy: "Give one column per variable; `samplesFromRows` makes samples of rows of numbers and null.",
  },
  "samples/value": {
    means: "A value of a sample is outside what its variable can take.",
    example: "sample 7, variable 0 `colour`: got 3, expected a state from 0 to 2",
    remedy: "Encode categories as 0, 1, ...; mark missing values as null in rows, or in `observed`.",
  },
  "samples/weights": {
    means: "Weights of samples are negative, not finite, or not one per sample.",
    example: "the weight of sample 3 is -1, expected a number from 0",
    remedy: "Give one number from 0 for each sample.",
  },
  "samples/external": {
    means: "Log-likelihoods for an external variable are missing, of the wrong size, or NaN or +Infinity.",
    example: "sample 0, variable 2 `pixels`: observed, but the samples carry no log-likelihoods for it",
    remedy: "Give `externals` a Float32Array [count, units] for the variable.",
  },
  "samples/soft-evidence": {
    means: "Soft evidence of a variable does not fit it or the samples, or stands where only values can.",
    example:
      "sample 0, variable 2 `colour`: a weight of soft evidence is -1, expected a finite number from 0",
    remedy: "Give a finite weight from 0 for each state, or for some states by index, for each sample.",
  },
  "samples/impossible": {
    means: "Something was to be drawn given values that have probability 0.",
    example: "sample 4 is impossible: its observed values have the probability 0",
    remedy: "Leave such samples out (`logLikelihood` is -Infinity), or train with a pseudocount.",
  },
  "learning/base": {
    means: "The base distribution of an update does not fit the parameter that it smooths.",
    example: "the base of parameter `emission` has 5 numbers, expected 10 or 40",
    remedy: "Give probabilities that sum to 1, one row for all units or one for each.",
  },
  "learning/missing-value": {
    means: "Counting met a missing value that it needs.",
    example: "sample 3, variable 5 `z0`: the value is missing, and decides what is counted",
    remedy: "Fill in the latent variables of everything observed, or learn by EM.",
  },
  "learning/uncounted-latent": {
    means: "Counting needs every latent variable as a column of the data.",
    example: "sum node 12 has a latent variable that is not a column of the data",
    remedy: "Make them columns with `materialise(circuit, nodes)`, or learn by EM.",
  },
  "learning/hmm-counts": {
    means: "Symbols or states given to the counts of an HMM are out of range or of different lengths.",
    example: "window 4, position 2: the state is 9, expected 0 to 7",
    remedy: "Give for every position a symbol and a state in range.",
  },
  "learning/counts": {
    means: "Expected counts are negative or not finite.",
    example: "count 7 of parameter `emission` is NaN, expected a finite number from 0",
    remedy: "Check weights and values of the samples that were counted.",
  },
  "learning/not-finite": {
    means: "Training produced NaN or infinite parameters or a NaN log-likelihood.",
    example: "after step 12, the log-likelihood is NaN though all parameters are numbers",
    remedy: "Use a smaller step or a pseudocount, and check the data for extreme values.",
  },
  "learning/no-samples": {
    means: "There are no samples to learn from, or all of them have the weight 0.",
    example: "there are no training samples",
    remedy: "Give at least one sample with a positive weight.",
  },
  "learning/spread": {
    means: "The values of a real variable have a spread whose square floating point numbers cannot hold.",
    example: "the values of variable 1 `mass` reach from 0 to 1e+300",
    remedy: "Give the column another unit.",
  },
  "learning/state-copies": {
    means: "The states of a latent variable cannot be copied as asked.",
    example: "sum node 12: a latent variable needs a state",
    remedy: "Map each new state to an existing one; untie parameters that are shared with other nodes.",
  },
  "learning/state": {
    means:
      "A saved state of a training or a learner belongs to another circuit, engine, data or options, or is no such state.",
    example: "the state is of a training with other data or options",
    remedy: "Restore it where it was saved, or start anew.",
  },
  "learning/finished": {
    means: "A training that has ended was asked for a further step.",
    example: "the training is over: there is no further step",
    remedy: "Ask `training.done` first, or begin a new training with more epochs.",
  },
  "structure/size": {
    means: "The parts that a structure is built from have different sizes.",
    example: "the tree is over 5 variables, but there are 6",
    remedy: "Build tree, names and variables for the same number of things.",
  },
  "structure/other-variables": {
    means: "Circuits that are to be combined are not over the same variables.",
    example: "circuit 1 of the stack is not over the variables of circuit 0",
    remedy: "Build all of them over the same variables in the same order.",
  },
  "structure/not-a-stack": {
    means: "A circuit cannot be taken apart into groups because they meet.",
    example: "the circuit is not a stack of 4: sum node 7 mixes groups",
    remedy: "Unstack only what `stack` made.",
  },
  "structure/patches": {
    means: "Patches, their clusters and their circuits do not fit the image.",
    example: "variable 17 of the image belongs to no patch",
    remedy: "Use one patch size for features, clusters and circuits; patches cover each pixel once.",
  },
};
