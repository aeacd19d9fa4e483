/// <reference lib="dom" />
// Runs before the page is drawn, so that it never shows another theme first.
import { chosenTheme, showTheme } from "../../parts/chosen_theme.ts";

showTheme(chosenTheme());
