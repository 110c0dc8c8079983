// What htmx must know: which answers are shown, where the focus goes, and what a session that has ended means.
import { isTyped, signInHere } from "./over.js";
import { isToldSince, latestTelling } from "./stream.js";

const SHOWN = [403, 404, 409, 422];
const askedAt = new WeakMap(); // a request -> the latest telling of the stream before it
let focused = null;

export function startSwaps() {
  const body = document.body;
  body.addEventListener("htmx:beforeSwap", onBeforeSwap);
  body.addEventListener("htmx:beforeSend", (event) => askedAt.set(event.detail.xhr, latestTelling()));
  body.addEventListener("htmx:afterSettle", onAfterSettle);
  body.addEventListener("htmx:afterSettle", readOnceMore);
  body.addEventListener("htmx:confirm", skipWhileTyping);
}

function onBeforeSwap(event) {
  const detail = event.detail;
  if (detail.xhr.status === 401) {
    detail.shouldSwap = false;
    if (isTyped()) return signInHere();
    const back = encodeURIComponent(location.pathname + location.search);
    location.assign(detail.xhr.getResponseHeader("Location") || `/sign-in?next=${back}`);
    return;
  }
  // A live part that asked for itself before one began to type comes too late; what a person asked for is shown.
  if (detail.target.matches("[data-topics]") && detail.requestConfig.elt === detail.target && isInUse(detail.target)) {
    detail.shouldSwap = false;
    return;
  }
  if (SHOWN.includes(detail.xhr.status) && !detail.target.hasAttribute("data-topics")) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
  // A part may be read anew once more before the first reading has settled: by then nothing in it has the focus.
  const active = document.activeElement;
  if (active && detail.target.contains(active)) focused = { id: active.id, inside: detail.target.id, ...placeOf(active, detail.target) };
}

// What has no id is known again by where it leads, else by its place and words.
function placeOf(element, part) {
  const all = [...part.querySelectorAll(element.tagName)];
  return { tag: element.tagName, href: element.getAttribute("href"), text: element.textContent, at: all.indexOf(element) };
}

function again({ id, tag, href, text, at }, part) {
  if (id) return document.getElementById(id);
  const all = part ? [...part.querySelectorAll(tag)] : [];
  if (href) return all.find((one) => one.getAttribute("href") === href);
  return all[at]?.textContent === text ? all[at] : null;
}

function skipWhileTyping(event) {
  const part = event.detail.elt;
  if (part.hasAttribute("data-topics") && isInUse(part)) event.preventDefault();
}

// A live part waits for the next change while it holds the field one is typing into, something typed and not sent, a refused
// value with why, or an open menu.
function isInUse(part) {
  const active = document.activeElement;
  const types = active && part.contains(active) && active.matches("input, select, textarea");
  const isOpen = part.querySelector("details[data-menu][open], dialog[open], [aria-invalid=true]");
  return Boolean(types || isOpen) || [...part.querySelectorAll("input, select, textarea")].some(isChanged);
}

function isChanged(field) {
  if (field.type === "hidden") return false;
  if (field.options) return !([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.selected;
  return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}

function onAfterSettle(event) {
  const summary = event.detail.elt.querySelector?.("[data-focus-here]");
  if (summary) return summary.focus();
  if (focused === null) return;
  const lost = focused;
  focused = null;
  if (document.activeElement && document.activeElement !== document.body) return;
  const part = document.getElementById(lost.inside);
  const found = again(lost, part);
  focusOn(found ?? part?.querySelector("h1, h2, h3"));
}

// What changed while a part was asked for, put in its place or settled is not in it, and nobody listened: it is read once more.
function readOnceMore({ detail: { elt, xhr } }) {
  const parts = elt.querySelectorAll ? [elt, ...elt.querySelectorAll("[data-topics]")] : [];
  for (const part of parts) {
    if (part.matches("[data-topics]") && isToldSince(part, askedAt.get(xhr))) part.dispatchEvent(new Event("changed"));
  }
}

// A heading takes the focus only when it is told to, in each reading anew.
function focusOn(place) {
  if (!place) return;
  if (place.tabIndex < 0) place.tabIndex = -1;
  place.focus({ preventScroll: true });
}
