// Leaving a form with changes asks first. A form takes part with data-guard; its dialog, where it has one, stands in data-guard's value.
const changed = new Set();
const RETRY_MS = 3000;
let retry = null;

export function startUnsaved() {
  for (const form of document.querySelectorAll("form[data-guard][data-changed]")) changed.add(form);
  document.addEventListener("input", mark);
  document.addEventListener("change", mark);
  document.addEventListener("submit", onSubmit);
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

function onLeave(event) {
  const link = event.target.closest("a[href]");
  if (!link || link.target || event.ctrlKey || event.metaKey || event.button || !isUnsaved()) return;
  if (new URL(link.href).pathname === location.pathname) return;
  ask(event, [...changed], () => location.assign(link.href));
}

// Another form of the page is sent: the page that answers would no longer have what is not saved. What htmx or a script of ours
// has taken in hand by now leaves the page where it is.
function onSubmit(event) {
  const { target: sent, submitter } = event;
  const leaves = !event.defaultPrevented && sent.method !== "dialog";
  const others = leaves && isUnsaved() ? [...changed].filter((form) => form !== sent) : [];
  if (!ask(event, others, () => sent.requestSubmit(submitter))) changed.delete(sent);
}

// Save and go on, go on without saving, stay: the buttons carry save, drop or nothing.
function ask(event, forms, goOn) {
  const form = forms.find((one) => document.getElementById(one.dataset.guard));
  if (!form) return false;
  const dialog = document.getElementById(form.dataset.guard);
  event.preventDefault();
  event.stopPropagation();
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "drop" && !(dialog.returnValue === "save" && (await isSaved(form)))) return;
    changed.clear();
    goOn();
  };
  dialog.showModal();
  return true;
}

// What is saved is answered with where to go, and the next page says so. What is not is sent once more as the browser does, so
// that the page says why.
async function isSaved(form) {
  // Where a form has several buttons, this is the one that saves.
  const submitter = [...form.elements].find((one) => one.matches("button[name=do][value=save]")) ?? null;
  const sent = new SubmitEvent("submit", { bubbles: true, cancelable: true, submitter });
  if (!form.dispatchEvent(sent)) return false;
  try {
    const body = new URLSearchParams(new FormData(form, submitter));
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    // A form that saves itself is answered with a part of its page.
    if (answer.ok && (answer.headers.has("HX-Redirect") || form.matches("[hx-post]"))) return true;
  } catch {
    // It could not be reached.
  }
  changed.clear();
  form.requestSubmit(submitter);
  return false;
}
