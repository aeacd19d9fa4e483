import type { CodeEntry } from "./entry.ts";

/** Codes of texts, their tokens and the teachers that embed them. */
export type TextCode =
  | "text/files"
  | "text/encoding"
  | "text/too-long"
  | "text/empty"
  | "text/splits"
  | "text/windows"
  | "text/classes"
  | "text/no-end-token"
  | "text/tokenizer"
  | "text/unknown-piece"
  | "text/sentence"
  | "text/no-hmm"
  | "teacher/files"
  | "teacher/graph"
  | "teacher/options"
  | "teacher/not-causal"
  | "teacher/begin"
  | "teacher/too-long"
  | "teacher/alignment"
  | "teacher/diverged";

/** What they mean. */
export const textCodes: Readonly<Record<TextCode, CodeEntry>> = {
  "text/files": {
    means: "There are no text files where they were looked for, they cannot be read, or two have one name.",
    example: "two files are called b.txt: /data/b.txt and /more/b.txt",
    remedy:
      "Give a folder or file that exists; paths are taken literally. `endings` selects files by how their names end.",
  },
  "text/encoding": {
    means: "A file is not UTF-8 or UTF-16 text, or is not text.",
    example: "a.txt: not UTF-8 at byte 12: ff fe 00 01",
    remedy: "Convert it: `iconv -f LATIN1 -t UTF-8`, or leave it out by `endings`.",
  },
  "text/too-long": {
    means: "A document is longer than its format allows.",
    example: "a.txt: a document is longer than 10000000 characters",
    remedy: 'Check the format; with "file" a document may have any length.',
  },
  "text/empty": {
    means: "There is no text, or none for a split.",
    example: "there is no text in a.txt",
    remedy: "Files that are empty or hold only white space have no document.",
  },
  "text/splits": {
    means: "Documents cannot be divided into training, validation and test as asked.",
    example: "no file is named after the split `valid`; there are train.txt",
    remedy:
      'Name files `train`, `valid` and `test`, or set `split` to "hash" with `shares` that the number of documents allows.',
  },
  "text/windows": {
    means: "There are too few tokens for one window, or a window outside the text was asked for.",
    example: "12 tokens give no window of 32",
    remedy: 'Shorten the windows, give more text, or set `partial` to "pad".',
  },
  "text/classes": {
    means: "Word classes were asked for with numbers that make no sense, or of tokens that are no types.",
    example: "0 classes of 33278 types, expected whole numbers from 1",
    remedy: "Give at least one class, and token ids of the vocabulary whose size was given.",
  },
  "text/no-end-token": {
    means: "Something needs an end-of-text token and the vocabulary or tokenizer has none.",
    example: "windows within end tokens need tokens that have one",
    remedy: 'Set `ends` of the tokenizer to something else than "nothing", or do without end tokens.',
  },
  "text/tokenizer": {
    means: "A tokenizer.json is missing or holds something that is not supported.",
    example: "tokenizer.json is not a usable tokenizer: its vocabulary is empty",
    remedy: "Use the `tokenizer.json` of Hugging Face's tokenizers: WordPiece, BPE, Unigram or WordLevel.",
  },
  "text/unknown-piece": {
    means: "A tokenizer has no piece for a text and none for unknown ones.",
    example: 'the tokenizer has no piece for "ñ", and none for unknown ones',
    remedy: "Use a tokenizer with an unknown piece, or leave such words out.",
  },
  "text/sentence": {
    means: "A sentence to be completed is too long, has no blank, or holds a word that the vocabulary lacks.",
    example: '"the cat sat" has no blank',
    remedy: "Write `___` for a missing word; use words of the vocabulary; shorten the sentence.",
  },
  "text/no-hmm": {
    means: "A circuit that was to be read as a hidden Markov model of tokens is none.",
    example: "the circuit is no homogeneous hidden Markov model: its root is no sum",
    remedy:
      "Give a circuit that `hmm` or `blockedHmm` made, trained or not: the same states at every position.",
  },
  "teacher/files": {
    means: "Files of a teacher are missing, ambiguous or unreadable.",
    example: "no .onnx file among tokenizer.json",
    remedy: "Give the folder that holds the .onnx file, tokenizer.json and their configuration.",
  },
  "teacher/graph": {
    means:
      "The ONNX graph of a teacher cannot be used: its inputs, outputs or shapes are not those of a transformer.",
    example: "bert has no output `states` with vectors of tokens; it has logits",
    remedy:
      "Export it with its hidden states, [batch, tokens, width]; name inputs and outputs by `names` and `output`.",
  },
  "teacher/options": {
    means: "An option of a teacher or its training is out of range.",
    example: "5 heads do not divide the width 64",
    remedy: "Choose a value that the message allows.",
  },
  "teacher/not-causal": {
    means: "The teacher cannot restrict attention as this needs: drawing texts or embedding suffixes.",
    example: "bert cannot restrict what a piece sees to what follows it",
    remedy: "Use another mode, or a causal language model.",
  },
  "teacher/begin": {
    means: "A piece that begins or ends texts is needed and not known.",
    example: "gpt has no piece that begins a text",
    remedy: "Name it: the parameters `begin` and `end`, as texts or ids.",
  },
  "teacher/too-long": {
    means: "A window has more pieces than the teacher takes at a time.",
    example: "a window of 64 tokens has 600 pieces, bert takes 510",
    remedy: "Shorten the windows.",
  },
  "teacher/alignment": {
    means: "The tokens of a corpus and the pieces of a teacher cannot be aligned.",
    example: 'how bert cuts "don\'t" into pieces depends on the words around it',
    remedy: "Tokenise the corpus in words or in the teacher's own pieces (`tokenizePieces`).",
  },
  "teacher/diverged": {
    means: "Training or sampling gave numbers that are not finite.",
    example: "the loss of step 12 is NaN",
    remedy: "Use a smaller `rate` or a longer `warmup`.",
  },
};
