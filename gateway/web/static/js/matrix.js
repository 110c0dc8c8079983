// The matrix with the keyboard: arrows move over the cells, Enter opens, C copies, V pastes, [ and ] go from problem to problem,
// Alt with an arrow moves an action. A variable goes to where the cursor is.
let lastField = null;

export function startMatrix() {
  document.addEventListener("keydown", onMatrixKey);
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-template]")) lastField = event.target;
  });
  document.addEventListener("click", onVariable);
  document.body.addEventListener("htmx:oobAfterSwap", markOdd);
}

// What is wrong with a number came, or went, without its field: that keeps what is being typed.
function markOdd() {
  for (const place of document.querySelectorAll("[data-odd-of]")) {
    const field = document.getElementById(place.dataset.oddOf);
    if (place.childElementCount) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
  }
}

function onMatrixKey(event) {
  const target = event.target;
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) return moveAction(event);
  if (target.matches("input, select, textarea, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return closePanel(event);
  const table = document.querySelector("[data-matrix]");
  if (!table) return;
  if (event.key === "[" || event.key === "]") return toProblem(event, table);
  const cell = target.closest("[data-cell]");
  if (!cell || !table.contains(cell)) return;
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (step) {
    event.preventDefault();
    neighbour(table, cell, step)?.focus();
  } else if (event.code === "KeyC") copyCell(table, cell);
  else if (event.code === "KeyV") pasteCell(table, cell);
}

// Cells as they are seen: by where they lie, since one of them spans three rows.
function neighbour(table, cell, [down, right]) {
  const from = cell.getBoundingClientRect();
  let best = null;
  for (const other of table.querySelectorAll("[data-cell]")) {
    const to = other.getBoundingClientRect();
    if (other === cell || to.width === 0) continue;
    const apart = down ? (to.top - from.top) * down : (to.left - from.left) * right;
    const aside = down ? Math.abs(to.left - from.left) : Math.max(0, to.top - from.top, from.top - to.bottom + 1);
    if (apart <= 1 || (!down && aside > 0 && to.top > from.bottom)) continue;
    const far = apart + aside * 4;
    if (best === null || far < best.far) best = { far, other };
  }
  return best && best.other;
}

function toProblem(event, table) {
  const all = [...table.querySelectorAll("[data-has-problem]")];
  if (!all.length) return;
  event.preventDefault();
  const now = all.indexOf(document.activeElement);
  all[(now + (event.key === "]" ? 1 : all.length - 1 + (now < 0 ? 1 : 0))) % all.length].focus();
}

function copyCell(table, cell) {
  table.dataset.copied = cell.dataset.cell;
  const toasts = document.getElementById("toasts");
  const said = document.createElement("p");
  said.className = "cm-toast";
  said.textContent = table.dataset.copiedText;
  toasts.append(said);
  setTimeout(() => said.remove(), 3000);
}

function pasteCell(table, cell) {
  const form = document.getElementById("paste-form");
  if (!form || !table.dataset.copied || table.dataset.copied === cell.dataset.cell) return;
  form.elements.source.value = table.dataset.copied;
  form.elements.cell.value = cell.dataset.cell;
  const dialog = document.getElementById("paste-dialog");
  if (cell.querySelector(".cm-action-line")) dialog.showModal();
  else form.requestSubmit();
}

function moveAction(event) {
  const action = event.target.closest("[data-action]");
  if (!action) return;
  event.preventDefault();
  document.getElementById(`${event.key === "ArrowUp" ? "up" : "down"}-${action.dataset.action}`)?.click();
}

function closePanel(event) {
  const close = document.querySelector("[data-panel] [data-close-panel]");
  if (!close || document.querySelector("dialog[open], details[data-menu][open]")) return;
  event.preventDefault();
  close.click();
}

function onVariable(event) {
  const button = event.target.closest("[data-variable]");
  if (!button) return;
  event.preventDefault();
  const field = lastField?.isConnected ? lastField : document.querySelector("details[open] [data-template], textarea[data-template]");
  if (!field) return;
  const text = `{{ ${button.dataset.variable} }}`;
  const at = field === lastField ? field.selectionStart : field.value.length;
  field.setRangeText(text, at, field === lastField ? field.selectionEnd : at, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
