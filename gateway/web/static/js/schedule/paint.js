// A schedule that is being painted: values of days as they are sent ("09:00-18:00", "" = off, "away", "=" = as the week), steps that can
// be undone, and what is counted. Nothing here knows the page.
const DAY = 1440;

export function intervals(value) {
  if (!value || value === "away" || value === "=") return [];
  return value.split(",").map((part) => {
    const [opens, closes] = part.split("-").map(minutesOf);
    return [opens, closes > opens ? closes : closes + DAY];
  });
}

function minutesOf(clock) {
  const [hour, minute] = clock.split(":").map(Number);
  return hour * 60 + minute;
}

export function minutesIn(value) {
  return intervals(value).reduce((sum, [opens, closes]) => sum + closes - opens, 0);
}

// "9-13; 14:00–18" as it is sent, "" for nothing, null for what are no hours.
export function readHours(text) {
  const found = [];
  for (const part of text.split(/[,;]+/).map((one) => one.trim()).filter(Boolean)) {
    const match = /^(\d{1,2})(?::(\d\d))?\s*[-–—]\s*(\d{1,2})(?::(\d\d))?$/.exec(part);
    if (!match) return null;
    const [opens, closes] = [clock(match[1], match[2], 23), clock(match[3], match[4], 24)];
    if (!opens || !closes || opens === closes) return null;
    found.push([minutesOf(opens), minutesOf(closes)]);
  }
  return written(found);
}

function clock(hour, minute = "00", last) {
  if (Number(hour) > last || Number(minute) > 59 || (hour === "24" && minute !== "00")) return null;
  return `${hour.padStart(2, "0")}:${minute}`;
}

// In order, what overlaps or touches as one: as the server has it.
function written(spans) {
  const whole = [];
  for (const [opens, closes] of spans.map(([a, b]) => [a, b > a ? b : b + DAY]).sort((a, b) => a[0] - b[0])) {
    const last = whole[whole.length - 1];
    if (last && opens <= last[1]) last[1] = Math.max(last[1], closes);
    else whole.push([opens, closes]);
  }
  for (const span of whole) span[1] = Math.min(span[1], span[0] ? span[0] + DAY - 1 : DAY);
  const say = (at) => `${String(Math.floor(at / 60) % 24).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  return whole.map(([a, b]) => `${say(a)}-${b === DAY ? "24:00" : say(b)}`).join(",");
}

// Hours with, or without, what lies between two minutes of the day.
export function withSpan(value, from, to) {
  return written([...intervals(value), [from, to]]);
}

export function withoutSpan(value, from, to) {
  const left = intervals(value).flatMap(([opens, closes]) => [[opens, Math.min(closes, from)], [Math.max(opens, to), closes]]);
  return written(left.filter(([opens, closes]) => opens < closes && opens < DAY));
}

export function newPainting(rows) {
  return { first: rows.map((row) => [...row]), now: rows.map((row) => [...row]), steps: [] };
}

// changes: [row, column, value]. Returns the cells that are different now; they are one step back.
export function paint(painting, changes) {
  const step = [];
  for (const [row, column, value] of changes) {
    const before = painting.now[row]?.[column];
    if (before === undefined || before === value) continue;
    step.push([row, column, before]);
    painting.now[row][column] = value;
  }
  if (step.length) painting.steps.push(step);
  return step;
}

export function undo(painting) {
  const step = painting.steps.pop() || [];
  for (const [row, column, before] of [...step].reverse()) painting.now[row][column] = before;
  return step;
}

export function changed(painting, keys, days) {
  const rows = {};
  painting.now.forEach((row, at) => {
    row.forEach((value, column) => {
      if (value !== painting.first[at][column]) (rows[keys[at]] ||= {})[days[column]] = value;
    });
  });
  return rows;
}

export function rectangle([row, column], [otherRow, otherColumn]) {
  const cells = [];
  for (let r = Math.min(row, otherRow); r <= Math.max(row, otherRow); r++) {
    for (let c = Math.min(column, otherColumn); c <= Math.max(column, otherColumn); c++) cells.push([r, c]);
  }
  return cells;
}

// The columns of the calendar week that a column lies in. weekdays: of each column, 1 = Monday.
export function weekOf(weekdays, column) {
  const monday = column - weekdays[column] + 1;
  return weekdays.map((_, at) => at).filter((at) => at >= monday && at < monday + 7);
}

export function workdays(free, value) {
  return free.map((isFree) => (isFree ? "" : value));
}

export function twoOnTwoOff(count, from, value) {
  return Array.from({ length: count }, (_, at) => ((((at - from + 1) % 4) + 4) % 4 < 2 ? value : ""));
}

// The same weekdays four weeks earlier, which keeps two on and two off too. before: the values of the month before.
export function asBefore(before, count) {
  const found = [];
  for (let at = 0; at < count; at++) found.push(at < 28 ? before[before.length + at - 28] ?? "" : found[at - 28]);
  return found;
}

// How many begin a shift on each day, and are there in each of its 24 hours. people: of each row.
export function counted(painting, people, isWeek) {
  const count = painting.now[0]?.length || 0;
  const days = new Array(count).fill(0);
  const hours = Array.from({ length: count }, () => new Array(24).fill(0));
  painting.now.forEach((row, at) => {
    row.forEach((value, day) => {
      const spans = intervals(value);
      if (spans.length) days[day] += people[at];
      let reached = 0;
      for (const [opens, closes] of spans) {
        for (let hour = Math.max(Math.floor(opens / 60), reached); hour < Math.ceil(closes / 60); hour++) {
          const on = day + Math.floor(hour / 24);
          const there = hours[isWeek ? on % count : on];
          if (there) there[hour % 24] += people[at];
          reached = hour + 1;
        }
      }
    });
  });
  return { days, hours };
}
