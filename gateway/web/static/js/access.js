// Who may do what in which channel: a press goes on from none to reading to writing, arrows move, * chooses the channel to write from.
// What is changed is told at the foot in words, and saved together.
const NEXT = { none: "read", read: "send", send: "none" };

export function startAccess() {
  const table = document.getElementById("access-table");
  if (!table) return;
  const cells = [...table.querySelectorAll("td[data-may]")];
  for (const cell of cells) showAccess(table, cell);
  table.addEventListener("click", (event) => {
    const button = event.target.closest("[data-toggle-access]");
    if (button) changeAccess(table, button.closest("td"));
  });
  table.addEventListener("change", () => tellAccess(table));
  table.addEventListener("keydown", (event) => onAccessKey(table, event));
  table.addEventListener("focusin", (event) => event.target.matches("[data-toggle-access]") && onlyStop(table, event.target));
  const first = table.querySelector("[data-toggle-access]");
  if (first) onlyStop(table, first);
  tellAccess(table);
}

// One stop of the tab key for the whole table.
function onlyStop(table, button) {
  for (const one of table.querySelectorAll("[data-toggle-access]")) one.tabIndex = one === button ? 0 : -1;
}

function changeAccess(table, cell) {
  const chosen = cell.querySelector("select");
  chosen.value = NEXT[chosen.value];
  const row = cell.parentElement;
  const star = cell.querySelector("input[type=radio]");
  if (chosen.value === "send" && !row.querySelector("input[type=radio]:checked")) star.checked = true;
  if (chosen.value !== "send" && star.checked) {
    star.checked = false;
    const left = [...row.querySelectorAll("td[data-may]")].filter((one) => one.querySelector("select").value === "send");
    if (left.length === 1) left[0].querySelector("input[type=radio]").checked = true;
  }
  showAccess(table, cell);
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
}

function showAccess(table, cell) {
  const may = cell.querySelector("select").value;
  const words = table.dataset;
  cell.dataset.may = may;
  cell.toggleAttribute("data-changed", may !== cell.querySelector("[name=was]").value);
  const button = cell.querySelector("[data-toggle-access]");
  button.querySelector("[data-word]").textContent = words[may];
  const said = { who: cell.parentElement.dataset.who, channel: cell.dataset.channel, now: words[may], next: words[NEXT[may]] };
  button.setAttribute("aria-label", words.says.replace(/\{(\w+)\}/g, (_, name) => said[name]));
}

function tellAccess(table) {
  const changes = [];
  for (const row of table.tBodies[0].rows) {
    const sends = [...row.querySelectorAll("td[data-may=send]")];
    row.querySelector("[data-lacks]").hidden = sends.length < 2 || Boolean(row.querySelector("input[type=radio]:checked"));
    for (const cell of row.querySelectorAll("td[data-changed]")) {
      const was = table.dataset[cell.querySelector("[name=was]").value];
      changes.push(`${row.dataset.who}, ${cell.dataset.channel}: ${was} → ${table.dataset[cell.dataset.may]}`);
    }
    for (const star of row.querySelectorAll("input[type=radio]")) {
      if (star.checked && !star.defaultChecked) changes.push(`${row.dataset.who}: ★ ${star.closest("td").dataset.channel}`);
    }
  }
  const foot = document.getElementById("access-foot");
  const sign = foot.querySelector("[data-changes]");
  foot.hidden = !changes.length;
  sign.textContent = sign.dataset.text.replace("{n}", changes.length);
  foot.querySelector("[data-list]").textContent = changes.slice(0, 3).join(". ") + (changes.length > 3 ? " …" : "");
}

function onAccessKey(table, event) {
  const button = event.target.closest("[data-toggle-access]");
  if (!button || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  const cell = button.closest("td");
  if (step) {
    const row = table.tBodies[0].rows[cell.parentElement.sectionRowIndex + step[0]];
    row?.cells[cell.cellIndex + step[1]]?.querySelector("[data-toggle-access]")?.focus();
    event.preventDefault();
  } else if (event.key === "*" && cell.dataset.may === "send") {
    const star = cell.querySelector("input[type=radio]");
    star.checked = true;
    star.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
