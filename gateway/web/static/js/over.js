// The session has ended while something was typed: signing in opens over the page, and what is typed stays.
import { isUnsaved } from "./unsaved.js";

let typedInto = null;

export function startOver() {
  document.addEventListener("input", (event) => {
    const { form } = event.target;
    if (form?.method === "post" && !form.closest("#session-over")) typedInto = form;
  });
  document.addEventListener("submit", (event) => {
    if (event.target === typedInto) typedInto = null;
  }, true);
}

export function isTyped() {
  return Boolean(typedInto?.isConnected) || isUnsaved();
}

export async function signInHere() {
  const dialog = document.getElementById("session-over");
  if (!dialog || dialog.open) return;
  dialog.showModal();
  showSignIn(dialog, await fetch(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`));
}

// Steps of signing in take each other's place within the dialog; what follows the last one is a page with the tokens of the new session.
async function showSignIn(dialog, answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!new URL(answer.url).pathname.startsWith("/sign-in")) return takeTokens(dialog, page);
  const form = page.querySelector("main form[action='/sign-in'], main form[action='/sign-in/code']");
  if (!form) return location.assign(answer.url);
  const place = dialog.querySelector("[data-sign-in]");
  place.replaceChildren(...[page.getElementById("sign-in-error"), form].filter(Boolean));
  place.querySelector("input:not([type=hidden])").focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    showSignIn(dialog, await fetch(form.action, { method: "POST", body }));
  });
}

function takeTokens(dialog, page) {
  const headers = page.body.getAttribute("hx-headers");
  if (!headers) return location.reload();
  document.body.setAttribute("hx-headers", headers);
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = JSON.parse(headers)["X-CSRF-Token"];
  dialog.close();
  document.dispatchEvent(new Event("signed-in"));
}
