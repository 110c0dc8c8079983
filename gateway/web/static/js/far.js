// "Full screen": read from three metres.
export function startFar() {
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-far]")) return;
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {});
  });
  document.addEventListener("fullscreenchange", () => {
    document.documentElement.classList.toggle("cm-far", document.fullscreenElement !== null);
  });
}
