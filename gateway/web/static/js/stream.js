// One stream of the server for all tabs of the browser: the tab that holds the lock reads it and passes on what it tells.
// It carries topics only; what has changed is read anew as a fragment, so rights stay with the server and order does not matter.
import { isTyped, signInHere } from "./over.js";

const CHANNEL = "callmatrix";
const MOST_OFTEN = 500;
const STALE_AFTER = 5000;

export function startStream() {
  const address = document.body.dataset.stream;
  if (!address || !("EventSource" in window)) return;
  for (const sign of document.querySelectorAll("[data-live]")) sign.hidden = false;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(`${CHANNEL} ${address}`) : null;
  const hear = (said) => onSaid(said);
  const pass = (said) => {
    hear(said);
    if (channel) channel.postMessage(said);
  };
  if (channel) channel.onmessage = (event) => hear(event.data);
  const read = () => readStream(address, pass);
  if (channel && navigator.locks) navigator.locks.request(`${CHANNEL} ${address}`, () => new Promise(read)).catch(() => {});
  else read();
  setInterval(checkAge, 1000);
}

function readStream(address, pass) {
  const source = new EventSource(address);
  source.onopen = () => pass({ opened: true });
  source.onmessage = (event) => pass({ topics: event.data.split(/\s+/).filter(Boolean) });
  source.addEventListener("changed", source.onmessage);
  source.addEventListener("alive", () => pass({ alive: true }));
  source.addEventListener("over", () => {
    source.close();
    document.addEventListener("signed-in", () => readStream(address, pass), { once: true });
    pass({ over: true });
  });
  source.onerror = () => {
    pass({ broken: true });
    // The browser itself tries again after a broken line, but not after an answer that is no stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => readStream(address, pass), 3000);
  };
}

let brokenSince = null;
let isStale = false;
let freshAt = new Date();
const waiting = new Set();
let timer = null;

// The session is over: what is typed stays, anything else leads to signing in.
function onSaid(said) {
  if (said.over) isTyped() ? signInHere() : location.reload();
  if (said.broken || said.over) {
    brokenSince ??= Date.now();
    return;
  }
  if (brokenSince !== null || said.opened) {
    brokenSince = null;
    showAge(false);
    announce(["*"]);
  }
  if (said.topics) announce(said.topics);
}

function announce(topics) {
  freshAt = new Date();
  topics.forEach((topic) => waiting.add(topic));
  timer ??= setTimeout(renew, waiting.has("*") ? 50 + Math.random() * 200 : MOST_OFTEN);
}

// What was told, and in which telling: a part that is being read anew, or does not listen yet, asks afterwards what it missed.
let telling = 0;
const toldOf = new Map();

export function latestTelling() {
  return telling;
}

export function isToldSince(part, earlier) {
  return ["*", ...part.dataset.topics.split(/\s+/)].some((topic) => (toldOf.get(topic) ?? 0) > earlier);
}

function renew() {
  timer = null;
  telling += 1;
  const topics = new Set(waiting);
  waiting.clear();
  topics.forEach((topic) => toldOf.set(topic, telling));
  for (const part of document.querySelectorAll("[data-topics]")) {
    const own = part.dataset.topics.split(/\s+/);
    if (topics.has("*") || own.some((topic) => topics.has(topic))) part.dispatchEvent(new Event("changed"));
  }
}

function checkAge() {
  if (brokenSince !== null && Date.now() - brokenSince >= STALE_AFTER) showAge(true);
  else if (brokenSince === null) freshAt = new Date();
}

function showAge(stale) {
  if (stale === isStale) return;
  isStale = stale;
  const at = freshAt.toLocaleTimeString("ru-RU", { timeZone: document.body.dataset.zone || undefined });
  for (const sign of document.querySelectorAll("[data-stale]")) {
    const text = sign.querySelector("[data-live-text]") || sign;
    text.dataset.fresh ??= text.textContent;
    text.textContent = stale ? sign.dataset.stale.replace("{at}", at) : text.dataset.fresh;
    sign.classList.toggle("cm-live-old", stale);
    if (!sign.hasAttribute("data-live")) sign.hidden = !stale;
  }
}
