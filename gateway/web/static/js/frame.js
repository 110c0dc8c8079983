// Of a page within the CRM: it tells the site that shows it how tall it is, that something is unsaved, and when it is done.
import { isUnsaved } from "./unsaved.js";

export function startFrame() {
  const host = document.body.dataset.frameHost;
  if (!host || window.parent === window) return;
  const tell = (what) => window.parent.postMessage({ callmatrix: what.kind, ...what }, host);
  const done = document.querySelector("[data-frame-done]");
  if (done) tell({ kind: "done", name: done.dataset.frameDone });
  new ResizeObserver(() => tell({ kind: "height", height: document.documentElement.scrollHeight })).observe(document.body);
  document.addEventListener("input", () => tell({ kind: "dirty", dirty: isUnsaved() }));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-frame-close]")) tell({ kind: "close", dirty: isUnsaved() });
  });
}
