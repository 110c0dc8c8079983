// The week of one line by half hours, painted like the grid: what is there is taken away, what is not is added.
import { intervals, rectangle, withoutSpan, withSpan } from "./paint.js";

const HALF = 30;
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function startHalves(grid) {
  const table = document.getElementById("halves-grid");
  if (!table) return;
  const cells = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1));
  const halves = (grid.halves = { table, cells, at: [0, 18], anchor: [0, 18], drag: false });
  table.setAttribute("role", "grid");
  for (const cell of cells.flat()) cell.setAttribute("role", "gridcell");
  cells[0][18].tabIndex = 0;
  const placeOf = (target) => {
    const cell = target.closest?.("td");
    const row = cells.findIndex((line) => line.includes(cell));
    return row < 0 ? null : [row, cells[row].indexOf(cell)];
  };
  const apply = () => paintHalves(grid, rectangle(halves.anchor, halves.at));
  table.addEventListener("pointerdown", (event) => {
    const place = placeOf(event.target);
    halves.isPressed = Boolean(place) && !event.button && event.pointerType !== "touch";
    if (!halves.isPressed) return;
    event.preventDefault();
    halves.drag = true;
    move(halves, place, event.shiftKey);
  });
  table.addEventListener("pointerover", (event) => {
    const place = halves.drag && placeOf(event.target);
    if (place) move(halves, place, true);
  });
  document.addEventListener("pointerup", () => {
    if (halves.drag) apply();
    halves.drag = false;
  });
  table.addEventListener("click", (event) => {
    const place = placeOf(event.target);
    if (!place || halves.isPressed) return;
    move(halves, place, false);
    apply();
  });
  table.addEventListener("focusin", (event) => sayHalf(halves, event.target));
  table.addEventListener("keydown", (event) => {
    const step = MOVES[event.key];
    if (step) {
      const row = Math.min(Math.max(halves.at[0] + step[0], 0), cells.length - 1);
      move(halves, [row, Math.min(Math.max(halves.at[1] + step[1], 0), 47)], event.shiftKey);
    } else if (event.key === " ") apply();
    else return;
    event.preventDefault();
  });
  drawHalves(grid);
}

function move(halves, place, keepAnchor) {
  halves.cells[halves.at[0]][halves.at[1]].tabIndex = -1;
  halves.at = place;
  if (!keepAnchor) halves.anchor = place;
  const cell = halves.cells[place[0]][place[1]];
  cell.tabIndex = 0;
  cell.focus({ preventScroll: false });
  selectHalves(halves);
}

function selectHalves(halves) {
  for (const cell of halves.table.querySelectorAll("[aria-selected]")) cell.removeAttribute("aria-selected");
  const found = rectangle(halves.anchor, halves.at);
  if (found.length > 1) for (const [row, column] of found) halves.cells[row][column].setAttribute("aria-selected", "true");
}

// What the first of them becomes, all of them become.
function paintHalves(grid, found) {
  const { cells, anchor } = grid.halves;
  const change = "on" in cells[anchor[0]][anchor[1]].dataset ? withoutSpan : withSpan;
  const columns = found.map(([, column]) => column);
  const [from, to] = [Math.min(...columns) * HALF, (Math.max(...columns) + 1) * HALF];
  const line = grid.at[0];
  const days = [...new Set(found.map(([row]) => row))];
  grid.apply(days.map((day) => [line, day, change(grid.painting.now[line][day], from, to)]));
  selectHalves({ ...grid.halves, anchor: grid.halves.at });
  grid.halves.anchor = grid.halves.at;
  sayHalf(grid.halves, document.activeElement);
}

function sayHalf(halves, cell) {
  const [row, column] = halves.at;
  if (cell !== halves.cells[row][column]) return;
  const clock = (at) => `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  const day = cell.parentNode.cells[0].textContent;
  const said = "on" in cell.dataset ? halves.table.dataset.on : halves.table.dataset.off;
  cell.setAttribute("aria-label", `${day} ${clock(column * HALF)}–${clock((column + 1) * HALF)}, ${said}`);
}

export function drawHalves(grid) {
  if (!grid.halves) return;
  const { cells } = grid.halves;
  const row = grid.painting.now[grid.at[0]];
  document.querySelector("[data-halves-name]").textContent = grid.nameOf(grid.at[0]);
  cells.forEach((line, day) => {
    const own = intervals(row[day]);
    const spilled = intervals(row[(day + 6) % 7]).filter(([, closes]) => closes > 1440);
    line.forEach((cell, half) => {
      const covers = ([opens, closes]) => opens < (half + 1) * HALF && closes > half * HALF;
      cell.toggleAttribute("data-on", own.some(covers));
      cell.toggleAttribute("data-spill", spilled.some(([, closes]) => closes - 1440 > half * HALF));
    });
  });
}
