// A dialogue: the length of an answer as the messenger counts it, Ctrl+Enter, what is typed and not sent, staying at the end, and not
// reading behind another window.
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
  if (typed) keepDraft(typed);
  if (typed && typed.value) showLength(typed);
  if (!location.hash) goToEnd();
}

// What is typed into a dialogue is there when this tab comes back to it, until it is sent.
function keepDraft(field) {
  const name = `answer:${location.pathname}`;
  if (sessionStorage.getItem("answer-sent") === location.pathname) {
    sessionStorage.removeItem("answer-sent");
    field.focus();
  } else if (!field.value) field.value = sessionStorage.getItem(name) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(name, field.value));
  field.form.addEventListener("submit", () => {
    sessionStorage.removeItem(name);
    sessionStorage.setItem("answer-sent", location.pathname);
  });
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
  return Boolean(box) && -box.scrollTop < 80;
}

// The box is turned over: its end is at 0, what is earlier below. On a phone the page is what scrolls.
function goToEnd() {
  const box = document.getElementById("dialog-scroll");
  if (!box) return;
  if (getComputedStyle(box).overflowY === "visible") document.getElementById("end").scrollIntoView({ block: "end" });
  else box.scrollTop = 0;
}

function stayAtEnd(event) {
  const box = document.getElementById("dialog-scroll");
  if (box && isAtEnd && event.detail.target.id === "dialog-thread") box.scrollTop = 0;
}
