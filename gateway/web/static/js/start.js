import { startAccess } from "./access.js";
import { startDesk } from "./desk.js";
import { startDialogs } from "./dialogs.js";
import { startFar } from "./far.js";
import { startFrame } from "./frame.js";
import { startMatrix } from "./matrix.js";
import { startOver } from "./over.js";
import { startPresses } from "./presses.js";
import { startStream } from "./stream.js";
import { startSwaps } from "./swaps.js";
import { startUnsaved } from "./unsaved.js";

document.documentElement.classList.add("cm-with-script");
startSwaps();
startPresses();
startUnsaved();
startOver();
startFar();
startFrame();
startDesk();
startStream();
startMatrix();
startDialogs();
startAccess();
for (const tab of document.querySelectorAll(".cm-tab[aria-current]")) {
  const line = tab.parentElement;
  line.scrollLeft = tab.offsetLeft - line.offsetLeft - (line.clientWidth - tab.offsetWidth) / 2;
}
for (const summary of document.querySelectorAll("[data-focus-here]")) summary.focus();
