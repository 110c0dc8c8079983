// What a press does without asking the server: dialogs, copying, menus, toasts.
const TOAST_SECONDS = 6;

export function startPresses() {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  watch(document.body);
  document.body.addEventListener("htmx:load", (event) => watch(event.detail.elt));
}

// What only works with script shows itself when there is one.
function watch(part) {
  for (const button of part.querySelectorAll("[data-copy], [data-dismiss], [data-needs-script]")) button.hidden = false;
  for (const toast of part.querySelectorAll("[data-toast]:not([data-seen])")) dismissLater(toast);
}

function onClick(event) {
  const pressed = event.target.closest("[data-confirm], [data-close], [data-copy], [data-dismiss]");
  closeMenus(event.target);
  if (!pressed) return;
  const data = pressed.dataset;
  if ("confirm" in data) openDialog(event, document.getElementById(data.confirm));
  else if ("close" in data) pressed.closest("dialog").close();
  else if ("copy" in data) copy(pressed);
  else pressed.closest("[data-toast]").remove();
}

function openDialog(event, dialog) {
  if (!dialog) return;
  event.preventDefault();
  dialog.showModal();
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS browsers give no clipboard: select it, so that the keys do it.
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    if (!document.execCommand("copy")) return;
  }
  const word = button.querySelector("[data-copy-text]");
  const before = word.textContent;
  word.textContent = button.dataset.copied;
  setTimeout(() => (word.textContent = before), 2000);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

function onKey(event) {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.("details[data-menu][open]") || document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

function dismissLater(toast) {
  toast.dataset.seen = "";
  let left = TOAST_SECONDS;
  const tick = setInterval(() => {
    if (toast.matches(":hover, :focus-within")) return;
    left -= 1;
    if (left > 0) return;
    clearInterval(tick);
    toast.remove();
  }, 1000);
}
