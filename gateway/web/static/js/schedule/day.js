// The hours of the day in focus, typed: they count once the fields are left, or the schedule is saved.
import { readHours, rectangle } from "./paint.js";

export function startDay(grid) {
  const part = document.querySelector("[data-day]");
  const fields = [...part.querySelectorAll("[data-interval]")];
  // cells: whose hours are being typed, as they were chosen when that began.
  const day = (grid.day = { cells: null });
  const take = () => takeHours(grid, part, fields);
  part.addEventListener("input", () => {
    day.cells ||= rectangle(grid.anchor, grid.at);
    grid.mark();
  });
  part.addEventListener("focusout", (event) => {
    if (day.cells && document.hasFocus() && !part.contains(event.relatedTarget)) take();
  });
  part.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && fields.includes(event.target)) take();
    if (event.key !== "Escape" || !day.cells) return;
    day.cells = null;
    grid.focus(grid.at, true);
  });
  part.querySelector("[data-day-apply]").addEventListener("click", take);
  grid.form.addEventListener("submit", (event) => {
    if (!day.cells || take()) return;
    event.preventDefault();
    grid.mark();
    fields[0].focus();
  });
}

// Returns whether they are hours. What are none stays where it is, with the reason.
function takeHours(grid, part, fields) {
  const texts = fields.map((field) => field.value.trim());
  const spans = [0, 2, 4].map((at) => texts.slice(at, at + 2)).filter((pair) => pair.some(Boolean));
  const hours = readHours(spans.map((pair) => pair.join("-")).join(","));
  part.querySelector("[data-day-error]").hidden = hours !== null;
  if (hours === null) return false;
  const cells = grid.day.cells || rectangle(grid.anchor, grid.at);
  grid.day.cells = null;
  grid.fillWith(cells, hours);
  return true;
}
