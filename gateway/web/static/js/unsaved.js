// Leaving a form with changes asks first. A form takes part with data-guard; its dialog, where it has one, stands in data-guard's value.
const changed = new Set();
const RETRY_MS = 3000;
let retry = null;

export function startUnsaved() {
  for (const form of document.querySelectorAll("form[data-guard][data-changed]")) changed.add(form);
  document.addEventListener("input", mark);
  document.addEventListener("change", mark);
  document.addEventListener("submit", (event) => changed.delete(event.target), true);
  document.body.addEventListener("htmx:afterRequest", onAnswer);
  document.body.addEventListener("htmx:sendError", onFailure);
  document.body.addEventListener("htmx:responseError", onFailure);
  document.addEventListener("click", onLeave, true);
  addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });
}

function mark(event) {
  const form = event.target.form;
  if (form && "guard" in form.dataset) changed.add(form);
}

export function isUnsaved() {
  for (const form of changed) if (!form.isConnected) changed.delete(form);
  return changed.size > 0;
}

function onAnswer(event) {
  const form = event.detail.elt.closest("form");
  if (!form) return;
  // What is asked of a form with data-looks saves nothing; its buttons change what stands in it.
  if ("looks" in form.dataset) {
    if (event.detail.elt.matches("button")) changed.add(form);
    return;
  }
  if (event.detail.successful) changed.delete(form);
}

// What saves itself and did not get there: say so where it said "saved" before, and send it again.
function onFailure(event) {
  const { elt, target, xhr } = event.detail;
  const form = elt.closest("form[data-guard]");
  if (!form || (xhr.status > 0 && xhr.status < 500)) return;
  say(target, document.body.dataset.notSaved);
  clearTimeout(retry);
  retry = setTimeout(() => form.isConnected && form.dispatchEvent(new Event("change", { bubbles: true })), RETRY_MS);
}

function say(target, text) {
  const sign = document.createElement("p");
  sign.className = "cm-stale";
  sign.setAttribute("role", "alert");
  sign.textContent = text;
  target.replaceChildren(sign);
}

// Save and leave, leave without saving, stay: the buttons carry data-leave with save, drop or nothing.
function onLeave(event) {
  const link = event.target.closest("a[href]");
  if (!link || link.target || event.ctrlKey || event.metaKey || event.button || !isUnsaved()) return;
  const [form] = changed;
  const dialog = document.getElementById(form.dataset.guard);
  if (!dialog || new URL(link.href).pathname === location.pathname) return;
  event.preventDefault();
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "save") {
      changed.clear();
      // Where a form has several buttons, this is the one that saves.
      form.requestSubmit([...form.elements].find((one) => one.matches("button[name=do][value=save]")));
    } else if (dialog.returnValue === "drop") {
      changed.clear();
      location.assign(link.href);
    }
  };
  dialog.showModal();
}
