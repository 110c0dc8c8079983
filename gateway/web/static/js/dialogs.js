// A dialogue: the length of an answer as the messenger counts it, Ctrl+Enter, staying at the end, and not reading behind another window.
const LENGTHS = {
  character: (text) => [...text].length,
  utf16: (text) => text.length,
  byte: (text) => new TextEncoder().encode(text).length,
};

export function startDialogs() {
  document.addEventListener("input", (event) => event.target.matches("[data-longest]") && showLength(event.target));
  document.addEventListener("keydown", onSendKey);
  document.body.addEventListener("htmx:configRequest", onAsked);
  document.body.addEventListener("htmx:beforeSwap", () => (isAtEnd = atEnd()));
  document.body.addEventListener("htmx:afterSwap", stayAtEnd);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.querySelector("[data-seen]")?.dispatchEvent(new Event("changed"));
  });
  const typed = document.querySelector("[data-longest]");
  if (typed && typed.value) showLength(typed);
}

function showLength(field) {
  const sign = field.form.querySelector("[data-count]");
  const length = LENGTHS[field.dataset.unit](field.value.trim());
  const most = Number(field.dataset.longest);
  sign.dataset.most ??= sign.textContent;
  sign.textContent = length ? `${length} / ${most}` : sign.dataset.most;
  sign.classList.toggle("cm-over", length > most);
}

function onSendKey(event) {
  const form = event.target.form;
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !form || !("answer" in form.dataset)) return;
  event.preventDefault();
  form.requestSubmit();
}

function onAsked(event) {
  if (document.hidden && event.detail.elt.matches("[data-seen]")) event.detail.parameters.hidden = "1";
}

let isAtEnd = false;

function atEnd() {
  const box = document.getElementById("dialog-scroll");
  return Boolean(box) && box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

function stayAtEnd(event) {
  const box = document.getElementById("dialog-scroll");
  if (box && isAtEnd && event.detail.target.id === "dialog-thread") box.scrollTop = box.scrollHeight;
}
