// The grid of a schedule: one tab stop; mouse, touch and keys paint with the chosen brush.
import { asBefore, changed, intervals, minutesIn, newPainting, paint, readHours, rectangle, twoOnTwoOff, undo, weekOf, workdays } from "./paint.js";
import { drawCounts, drawFocus } from "./below.js";
import { startDay } from "./day.js";
import { drawHalves, startHalves } from "./halves.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function startGrid() {
  const form = document.getElementById("schedule-form");
  if (!form) return;
  const grid = new Grid(form);
  grid.startChoice();
  if (document.getElementById("line-dialog")) grid.start();
}

class Grid {
  constructor(form) {
    this.form = form;
    this.known = JSON.parse(form.dataset.schedule);
    this.table = document.getElementById("schedule-grid");
    this.rows = [...this.table.tBodies[0].rows];
    this.cells = this.rows.map((row) => [...row.cells].slice(1, -1));
    this.keys = this.rows.map((row) => row.dataset.line);
    this.people = this.rows.map((row) => Number(row.dataset.people));
    this.heads = [...this.table.tHead.rows[0].cells].slice(1, -1);
    this.free = [...this.table.querySelectorAll("col")].slice(1, -1).map((col) => col.className === "cm-sched-free");
    this.brushes = new Map(this.known.brushes.map(([letter, name, colour, hours]) => [hours, { letter, name, colour }]));
    this.shifts = [];
    this.painting = newPainting(this.cells.map((row) => row.map((cell) => cell.dataset.v || "")));
    this.at = [0, this.known.focus];
    this.anchor = this.at;
    this.copied = null;
    this.said = document.querySelector("[data-painted]");
  }

  start() {
    this.days = this.known.days;
    this.table.setAttribute("role", "grid");
    this.table.setAttribute("aria-multiselectable", "true");
    for (const cell of this.cells.flat()) cell.setAttribute("role", "gridcell");
    this.focusable(true);
    this.table.addEventListener("pointerdown", (event) => this.onDown(event));
    this.table.addEventListener("pointerover", (event) => this.onOver(event));
    document.addEventListener("pointerup", () => this.onUp());
    this.table.addEventListener("keydown", (event) => this.onKey(event));
    this.table.addEventListener("focusin", (event) => this.onFocus(event));
    this.table.addEventListener("click", (event) => this.onClick(event));
    document.addEventListener("keydown", (event) => this.onUndoKey(event));
    document.querySelector("[data-undo]").addEventListener("click", () => this.undo());
    document.querySelector("[data-repeat]")?.addEventListener("click", () => this.repeat(this.keys.map((_, row) => row)));
    this.startLine();
    this.startShift();
    startDay(this);
    this.form.addEventListener("submit", () => this.fill());
    startHalves(this);
    this.takePending();
  }

  // What could not be saved comes back from the server, to be saved again.
  takePending() {
    const pending = this.known.pending;
    if (!pending) return;
    for (const shift of pending.shifts || []) this.addShift(shift);
    const values = [];
    for (const [key, days] of Object.entries(pending.rows || {})) {
      for (const [day, value] of Object.entries(days)) values.push([this.keys.indexOf(key), this.days.indexOf(day), value]);
    }
    this.apply(values);
  }

  brush() {
    return document.querySelector("[name=brush]:checked")?.value ?? "";
  }

  place(target) {
    const cell = target.closest?.("td");
    const row = cell ? this.rows.indexOf(cell.parentNode) : -1;
    const column = row < 0 ? -1 : this.cells[row].indexOf(cell);
    return column < 0 ? null : [row, column];
  }

  // A press toggles; with Shift it fills from the cell before; dragging paints what the first cell becomes.
  onDown(event) {
    const place = this.place(event.target);
    this.isPressed = Boolean(place) && !event.button && event.pointerType !== "touch";
    if (!this.isPressed) return;
    event.preventDefault();
    this.press(place, event.shiftKey);
    if (!event.shiftKey) this.drag = { from: place, value: this.toggled(place), moved: false };
  }

  onOver(event) {
    const place = this.drag && this.place(event.target);
    if (!place) return;
    this.drag.moved = true;
    this.focus(place, true);
  }

  onUp() {
    if (!this.drag) return;
    const { from, value } = this.drag;
    this.drag = null;
    this.fillWith(rectangle(from, this.at), value);
  }

  // A finger, or a program that reads the page aloud: a click that no mouse began.
  onClick(event) {
    const menu = event.target.closest("[data-line-menu]");
    if (menu) return this.openLine(this.rows.indexOf(menu.closest("tr")));
    const place = this.place(event.target);
    if (!place || this.isPressed) return;
    this.press(place, event.shiftKey);
    this.fillWith([place], this.toggled(place));
  }

  press(place, isRange) {
    const from = this.anchor;
    this.focus(place, isRange);
    if (isRange) this.fillWith(rectangle(from, place), this.brush());
  }

  toggled([row, column]) {
    const value = this.brush();
    return this.painting.now[row][column] === value ? "" : value;
  }

  fillWith(cells, value) {
    this.apply(cells.map(([row, column]) => [row, column, value]));
  }

  apply(values) {
    this.draw(paint(this.painting, values), "painted");
  }

  undo() {
    this.draw(undo(this.painting), "undone");
  }

  draw(step, said) {
    for (const [row, column] of step) this.drawCell(row, column);
    for (const row of new Set(step.map(([row]) => row))) this.drawSum(row);
    if (step.length) {
      this.said.textContent = this.said.dataset[said].replace("{n}", step.length);
      this.mark();
    }
    document.querySelector("[data-undo]").disabled = !this.painting.steps.length;
    this.label();
    this.drawBelow();
  }

  // The form has something that is not saved.
  mark() {
    this.form.elements.painting.dispatchEvent(new Event("input", { bubbles: true }));
  }

  drawBelow() {
    drawCounts(this);
    drawFocus(this);
    drawHalves(this);
  }

  drawCell(row, column) {
    const cell = this.cells[row][column];
    const value = this.painting.now[row][column];
    const look = this.look(value);
    cell.textContent = look.letter;
    cell.removeAttribute("title");
    cell.toggleAttribute("data-past", intervals(value).some(([, closes]) => closes > 1440));
    if (value) {
      cell.dataset.v = value;
      cell.dataset.c = look.colour;
    } else {
      delete cell.dataset.v;
      delete cell.dataset.c;
    }
  }

  look(value) {
    if (!value) return { letter: "", colour: "", name: this.said.dataset.off };
    const known = this.brushes.get(value);
    if (known) return known;
    const named = document.querySelector(`[name=brush][value="${value}"]`)?.closest("label");
    if (named) return { letter: named.querySelector(".cm-letter").textContent, colour: value === "=" ? "usual" : value, name: named.textContent.trim() };
    return { letter: "·", colour: "own", name: "" };
  }

  drawSum(row) {
    const minutes = this.painting.now[row].reduce((sum, value) => sum + minutesIn(value), 0);
    const cell = this.rows[row].cells[this.rows[row].cells.length - 1];
    const isOver = this.known.norm !== null && minutes > this.known.norm;
    cell.querySelector("[data-sum]").textContent = (minutes / 60).toLocaleString(this.form.dataset.lang, { maximumFractionDigits: 1 });
    cell.classList.toggle("cm-warn", isOver);
    cell.querySelector(".cm-sched-over").hidden = !isOver;
    cell.title = isOver ? cell.dataset.over : "";
  }

  focusable(on) {
    this.cells[this.at[0]][this.at[1]].tabIndex = on ? 0 : -1;
  }

  focus(place, keepAnchor) {
    this.focusable(false);
    this.at = place;
    if (!keepAnchor) this.anchor = place;
    this.focusable(true);
    this.cells[place[0]][place[1]].focus();
    this.select();
  }

  // The letter alone says little: where the focus is, the cell says whose day it is, and its hours.
  onFocus(event) {
    const place = this.place(event.target);
    if (!place) return;
    this.at = place;
    this.label();
    this.drawBelow();
  }

  label() {
    const [row, column] = this.at;
    const value = this.painting.now[row][column];
    const said = [this.look(value).name, intervalsSaid(value)].filter(Boolean).join(" ");
    this.cells[row][column].setAttribute("aria-label", [this.nameOf(row), this.heads[column].dataset.name, said].join(", "));
  }

  nameOf(row) {
    return this.rows[row].querySelector("[data-line-name]").textContent;
  }

  select() {
    for (const cell of this.table.querySelectorAll("[aria-selected]")) cell.removeAttribute("aria-selected");
    const cells = rectangle(this.anchor, this.at);
    if (cells.length > 1) for (const [row, column] of cells) this.cells[row][column].setAttribute("aria-selected", "true");
  }

  onKey(event) {
    const place = this.place(event.target);
    if (!place) return;
    const step = STEPS[event.key];
    const selected = rectangle(this.anchor, this.at);
    if (event.ctrlKey || event.metaKey) {
      if (event.code === "KeyC") this.copyWeek();
      else if (event.code === "KeyV") this.pasteWeek();
      else return;
    } else if (step) {
      const row = Math.min(Math.max(place[0] + step[0], 0), this.rows.length - 1);
      const column = Math.min(Math.max(place[1] + step[1], 0), this.heads.length - 1);
      this.focus([row, column], event.shiftKey);
    } else if (event.key === "Home" || event.key === "End") {
      this.focus([place[0], event.key === "Home" ? 0 : this.heads.length - 1], event.shiftKey);
    } else if (event.key === " ") this.fillWith(selected, selected.length > 1 ? this.brush() : this.toggled(place));
    else if (event.key === "Delete" || event.key === "Backspace") this.fillWith(selected, "");
    else if (/^Digit[1-6]$/.test(event.code) && !event.shiftKey) this.choose(Number(event.code[5]) - 1);
    else return;
    event.preventDefault();
  }

  choose(number) {
    const brush = document.querySelectorAll("[data-brushes] [name=brush]")[number];
    if (brush) brush.checked = true;
  }

  onUndoKey(event) {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.code !== "KeyZ") return;
    if (event.target.matches("input:not([type=radio]), textarea, select")) return;
    event.preventDefault();
    this.undo();
  }

  weekdays() {
    return this.known.weekdays;
  }

  copyWeek() {
    const row = this.painting.now[this.at[0]];
    this.copied = new Map(weekOf(this.weekdays(), this.at[1]).map((column) => [this.weekdays()[column], row[column]]));
    this.said.textContent = this.said.dataset.copied;
  }

  pasteWeek() {
    if (!this.copied) return;
    const columns = weekOf(this.weekdays(), this.at[1]).filter((column) => this.copied.has(this.weekdays()[column]));
    this.apply(columns.map((column) => [this.at[0], column, this.copied.get(this.weekdays()[column])]));
  }

  startLine() {
    const dialog = document.getElementById("line-dialog");
    dialog.addEventListener("click", (event) => {
      const button = event.target.closest("[data-pattern]");
      if (!button) return;
      dialog.close();
      this.fillLine(button.dataset.pattern);
    });
  }

  // On a phone one line is shown at a time.
  startChoice() {
    document.querySelector("[data-line-choice]")?.addEventListener("change", (event) => {
      for (const row of this.rows) row.toggleAttribute("data-chosen", row.dataset.line === event.target.value);
      this.focusable(false);
      this.at = this.anchor = [this.keys.indexOf(event.target.value), this.at[1]];
      if (this.days) this.focusable(true);
      if (this.days) this.drawBelow();
    });
  }

  openLine(row) {
    this.line = row;
    const dialog = document.getElementById("line-dialog");
    dialog.querySelector("[data-dialog-name]").textContent = this.nameOf(row);
    dialog.querySelector("[data-dialog-brush]").textContent = this.look(this.brush()).name;
    dialog.showModal();
  }

  fillLine(pattern) {
    const count = this.heads.length;
    if (pattern === "before") return this.repeat([this.line]);
    const values = {
      workdays: () => workdays(this.free, this.brush()),
      two: () => twoOnTwoOff(count, Number(document.getElementById("two-from").value) || 1, this.brush()),
      like: () => this.painting.now[this.keys.indexOf(document.getElementById("like-whom").value)],
      clear: () => new Array(count).fill(""),
    }[pattern]();
    this.apply(values.map((value, column) => [this.line, column, value]));
  }

  // The month before, as its own page has it.
  async repeat(rows) {
    const address = new URL(location.href);
    address.searchParams.set("month", this.known.before);
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const values = [];
    for (const row of rows) {
      const line = [...page.querySelectorAll("#schedule-grid [data-line]")].find((one) => one.dataset.line === this.keys[row]);
      if (!line) continue;
      const before = [...line.cells].slice(1, -1).map((cell) => cell.dataset.v || "");
      asBefore(before, this.heads.length).forEach((value, column) => values.push([row, column, value]));
    }
    this.apply(values);
  }

  startShift() {
    const form = document.querySelector("[data-new-shift]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { name, letter, colour, hours } = form.elements;
      const read = readHours(hours.value);
      form.querySelector("[data-shift-error]").hidden = Boolean(read);
      if (!read) return;
      this.addShift({ name: name.value.trim(), letter: letter.value.trim(), colour: colour.value, hours: read });
      form.closest("dialog").close();
      form.reset();
    });
  }

  // A brush like the others, kept when the schedule is saved.
  addShift(shift) {
    const hours = typeof shift.hours === "string" ? shift.hours : shift.hours.map((span) => span.join("-")).join(",");
    this.shifts = [...this.shifts.filter((one) => one.letter !== shift.letter), { ...shift, hours }];
    this.brushes.set(hours, shift);
    const label = document.querySelector("[data-brushes] label").cloneNode(true);
    const input = label.querySelector("input");
    input.value = hours;
    const [letter, text] = label.querySelectorAll(":scope > span");
    letter.textContent = shift.letter;
    letter.dataset.c = shift.colour;
    text.textContent = `${shift.name} ${hours.replaceAll("-", "–").replaceAll(",", ", ")}`;
    label.removeAttribute("title");
    document.querySelector("[data-brushes] legend").after(label);
    input.checked = true;
    this.painting.now.forEach((row, at) => row.forEach((value, column) => value === hours && this.drawCell(at, column)));
    this.mark();
  }

  fill() {
    const painting = { rows: changed(this.painting, this.keys, this.days), shifts: this.shifts };
    this.form.elements.painting.value = JSON.stringify(painting);
  }
}

function intervalsSaid(value) {
  return value === "away" || value === "=" ? "" : value.replaceAll("-", "–").replaceAll(",", ", ");
}
