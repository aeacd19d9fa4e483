import { DataSetError } from "../errors.ts";

/** A text that cannot be used: not UTF-8, of another format, or empty. The message names the file and the place. */
export class TextError extends DataSetError {}
