// What stands below the grid: people on shift per day and hour, and the hours of the day in focus.
import { counted, intervals } from "./paint.js";

const HEIGHT = 96;

export function drawCounts(grid) {
  const found = counted(grid.painting, grid.people, grid.known.view === "week");
  const [days, hours] = grid.known.others || [[], []];
  const cells = [...grid.table.tFoot.rows[0].cells].slice(1, -1);
  cells.forEach((cell, day) => {
    const people = found.days[day] + (days[day] || 0);
    cell.textContent = people;
    cell.classList.toggle("cm-sched-low", people < 2);
  });
  const day = grid.at[1];
  const there = found.hours[day].map((people, hour) => people + (hours[day]?.[hour] || 0));
  drawBars(there, grid.known.odd[day] || []);
  document.querySelector("[data-focus-name]").textContent = grid.heads[day].dataset.name;
  const said = document.querySelector("[data-focus-people]");
  said.textContent = said.dataset.text.replace("{n}", cells[day].textContent);
}

function drawBars(there, odd) {
  const most = Math.max(1, ...there);
  for (const group of document.querySelectorAll("[data-bars] [data-hour]")) {
    const hour = Number(group.dataset.hour);
    const [bar, hatch] = group.querySelectorAll("rect");
    const height = Math.round((HEIGHT * there[hour]) / most);
    bar.setAttribute("height", height || 1);
    bar.setAttribute("y", HEIGHT - height);
    const text = group.querySelector("text");
    text.textContent = there[hour] || "";
    text.setAttribute("y", HEIGHT - height - 4);
    if (odd.includes(hour)) hatch.removeAttribute("visibility");
    else hatch.setAttribute("visibility", "hidden");
  }
}

export function drawFocus(grid) {
  const [row, column] = grid.at;
  const part = document.querySelector("[data-day]");
  if (part.contains(document.activeElement) || grid.day?.cells) return;
  part.querySelector("[data-day-none]").hidden = true;
  part.querySelector("[data-day-fields]").hidden = false;
  part.querySelector("[data-day-who]").textContent = grid.nameOf(row);
  part.querySelector("[data-day-name]").textContent = grid.heads[column].dataset.name;
  const spans = intervals(grid.painting.now[row][column]);
  const clock = (at) => `${String(Math.floor(at / 60) % 24).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  const values = spans.flatMap(([opens, closes]) => [clock(opens), closes === 1440 ? "24:00" : clock(closes)]);
  part.querySelectorAll("[data-interval]").forEach((field, at) => (field.value = values[at] || ""));
  part.querySelector("[data-day-error]").hidden = true;
}
