"use strict";
// Formats the output: a table per case, the reasons for missing figures, and the goals.

const COLUMNS = [24, 11, 12, 17, 9, 12];

function tableOf({ workload, does, workers, events, unit, base, results }) {
  const hasEfficiency = results.some(({ efficiency }) => efficiency !== undefined);
  const head = [
    "",
    unit,
    "events/s",
    `x ${base}`,
    "spread",
    ...(hasEfficiency ? ["efficiency"] : []),
  ];
  const lines = [`${workload}: ${does} (${count(events, "event")}, ${count(workers, "worker")})`];
  lines.push(row(head));
  for (const { title, median, spread, ratio, efficiency } of results) {
    if (median === undefined) {
      lines.push(row([title, "-"]));
      continue;
    }
    const pace = unit === "ms" ? Math.round((events / median) * 1000).toLocaleString("en") : "";
    const cells = [title, fixed(median), pace, fixed(ratio), `${Math.round(spread * 100)} %`];
    lines.push(row(efficiency === undefined ? cells : [...cells, efficiency.toFixed(3)]));
  }
  return lines.join("\n");
}

/** Why contestants were skipped or failed, each reason once. */
function reasonsOf(cases) {
  const places = new Map();
  for (const { workload, workers, events, results } of cases) {
    for (const { title, skipped, failed } of results) {
      const reason = failed === undefined ? skipped : `FAILED, ${failed}`;
      if (reason === undefined) continue;
      const key = `${title}: ${reason}`;
      places.set(key, [...(places.get(key) ?? []), `${workload}/${workers}/${events}`]);
    }
  }
  if (places.size === 0) return "no contestant was skipped";
  const lines = [...places].map(([reason, where]) => `  ${reason} (${where.join(", ")})`);
  return ["no figure (workload/workers/events):", ...lines].join("\n");
}

function barsOf(bars) {
  const lines = bars.map(({ name, atLeast, atMost, measured, met }) => {
    const wanted = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
    const found = measured === null ? "not measured" : measured.toFixed(2);
    const verdict = met === null ? "" : met ? "met" : "NOT MET";
    return `  ${name.padEnd(56)}${wanted.padEnd(10)}${found.padStart(12)}  ${verdict}`.trimEnd();
  });
  return ["bars:", ...lines].join("\n");
}

function row(cells) {
  const [first, ...others] = cells.map((cell, place) =>
    place === 0 ? cell.padEnd(COLUMNS[0]) : cell.padStart(COLUMNS[place]),
  );
  return `  ${first}${others.join("")}`;
}

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

function fixed(number) {
  if (!Number.isFinite(number)) return "-";
  return number.toFixed(number < 10 ? 2 : 1);
}

module.exports = { barsOf, reasonsOf, tableOf };
