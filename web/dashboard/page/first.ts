/// <reference lib="dom" />
// Stands in the page itself and runs before anything else has come: the server makes the data while the page's other
// scripts are read, and nothing is drawn in another theme than the chosen one.
import { chosenTheme, showTheme } from "../../parts/chosen_theme.ts";
import { askAhead } from "./ahead.ts";
import { routeOf } from "./routes.ts";

const route = routeOf(location.hash);
showTheme(chosenTheme());
askAhead(route);
if (route.page !== "runs") {
  for (const href of document.documentElement.dataset.others!.split(" ")) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  }
}
