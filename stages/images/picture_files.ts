import { z } from "zod";
import { defineSource, type Stage } from "../../runner/stage.ts";
import { filesAt } from "../files_at.ts";
import type { files } from "../../runner/codecs/files.ts";

/** Endings of picture files. */
export const PICTURE_ENDINGS: string[] = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif"];

/** Pictures of one's own: those of a folder and of the folders in it. */
export const pictureFiles: Stage<
  z.ZodObject<{
    path: z.ZodString;
  }, z.core.$strip>,
  Record<never, never>,
  {
    files: typeof files;
  }
> = defineSource({
  name: "images.files",
  params: z.object({
    /** The folder; a relative path starts where the command is run. */
    path: z.string().min(1),
  }),
  locate: ({ params: { path } }) =>
    filesAt(path, {
      endings: PICTURE_ENDINGS,
      what: "pictures",
      code: "images/files",
      hint: "Give a folder of pictures; those in the folders in it are taken, hidden ones are not.",
    }),
});
