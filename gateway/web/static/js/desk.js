// Of a manager's desk: it tells the server that it is open and used, and counts down to the server's own deadline.
const WANTED = 20000;

export function startDesk() {
  const desk = document.querySelector("[data-desk]");
  if (!desk) return;
  const page = crypto.getRandomValues(new Uint32Array(4)).join("-");
  let inputAt = null;
  for (const kind of ["keydown", "pointerdown", "touchstart"]) {
    addEventListener(kind, () => (inputAt = Date.now()), { passive: true });
  }
  const beat = (closing) => {
    const form = new URLSearchParams({ page, visible: String(!document.hidden), closing: String(closing) });
    if (inputAt !== null) form.set("idle", String(Math.round((Date.now() - inputAt) / 1000)));
    const headers = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
    fetch(desk.dataset.beat, { method: "POST", body: form, headers, keepalive: true }).catch(() => {});
  };
  beat(false);
  setInterval(() => beat(false), WANTED);
  addEventListener("pagehide", () => beat(true));
  setInterval(countDown, 1000);
  askAloud();
  document.body.addEventListener("htmx:afterSwap", askAloud);
}

const plainTitle = document.title;
let told = null;

function countDown() {
  const question = document.querySelector("[data-question]");
  if (!question) {
    document.title = plainTitle;
    return;
  }
  const left = Math.max(0, Math.round((Date.parse(question.dataset.until) - Date.now()) / 1000));
  question.querySelector("[data-left]").textContent = `(${left})`;
  document.title = `(${left}) ${question.dataset.title}`;
}

// Who asked to be notified is, once for each question; the answer has the focus.
function askAloud() {
  const question = document.querySelector("[data-question]");
  if (!question || told === question.dataset.until) return;
  told = question.dataset.until;
  document.getElementById("desk-here")?.focus();
  if ("Notification" in window && Notification.permission === "granted" && document.hidden) {
    new Notification(question.dataset.title);
  }
}
