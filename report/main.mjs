// The page: reads the run that is in it, and shows it.

import { Histogram, TimeChart } from "./charts.mjs";
import { byId, element, table, tag, whenOpen } from "./dom.mjs";
import { Gantt, glyphOf, markColour, NAMES } from "./gantt.mjs";
import { histogram, percentile, Run } from "./run.mjs";
import { about, count, percent, time } from "./text.mjs";
import { View } from "./view.mjs";

/** Rows of the tables that a page should not be longer by. */
const MOST_ROWS = 1000;

/** Rows of a chart's table. */
const TABLE_BINS = 40;

const run = new Run(JSON.parse(byId("run").textContent));
const { data, events } = run;
const view = new View(run.end);

function head() {
  document.title = `${data.program}: run report`;
  byId("program").textContent = data.program;
  const started = new Date(data.startedAt);
  byId("about").textContent = [
    started.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }),
    `pid ${data.pid}`,
    `Node.js ${data.node}`,
    data.platform,
  ].join(" · ");
  byId("made").textContent =
    `Made by @tiemma/sonic-distribute ${data.package}. Charts: uPlot, © 2022 Leon Sorokin, MIT license; its text is in the source of this page.`;
}

function tiles() {
  const of = (name) => run.counts[data.outcomes.indexOf(name)] ?? 0;
  const replaced = Math.max(0, data.workers.length - run.lanes.length);
  const kinds = data.outcomes.slice(2).filter((name) => of(name) > 0);
  const { crashes } = data.statistics;
  const [p50, p99] = [0.5, 0.99].map((share) => time(run.within("run", share)));
  const [w50, w99] = [0.5, 0.99].map((share) => time(run.within("wait", share)));
  const all = [
    ["events", "Events", count(run.total), `${about((run.total / run.end) * 1000)} per second`],
    [
      "answered",
      "Answered",
      count(of("answered")),
      of("nothing") > 0 ? `and ${count(of("nothing"))} with nothing` : "",
    ],
    [
      "failed",
      "Failed",
      count(run.failed),
      kinds.map((name) => `${count(of(name))} ${name}`).join(", "),
      run.failed > 0,
    ],
    ["elapsed", "Took", time(data.elapsed), `${time(run.busy)} of work`],
    [
      "utilisation",
      "Workers busy",
      percent(run.utilisation),
      `of ${count(data.workersAsked)} workers`,
    ],
    ["run", "Typical event", p50, `99 % within ${p99}`],
    ["wait", "Typical wait", w50, `99 % within ${w99}`],
    [
      "restarts",
      "Workers replaced",
      count(replaced),
      crashes > 0 ? `${count(crashes)} crashed` : "",
      crashes > 0,
    ],
  ];
  for (const [name, title, value, more, isBad] of all) {
    const figure = element("dd.value", value);
    figure.dataset.figure = name;
    const tile = element("div", element("dt", title), figure, element("dd.more", more));
    tile.classList.toggle("bad", Boolean(isBad));
    byId("tiles").append(tile);
  }
}

function legend() {
  const boxes = NAMES.filter((_, outcome) => outcome === 0 || run.counts[outcome] > 0).map(
    (name) => {
      const box = element("i");
      box.style.background = `var(--${name})`;
      return element("span", box, name);
    },
  );
  const kinds = [...new Set(data.marks.map(({ kind }) => kind))].map(markOf);
  byId("legend").append(...boxes, ...kinds);
}

/** What happened, with the sign that it has among the workers. */
function markOf(kind) {
  const glyph = element("i.glyph", glyphOf(kind));
  glyph.style.color = `var(--${markColour(kind)})`;
  return element("span.mark", glyph, kind);
}

function workers() {
  const end = ({ code, signal }) => signal ?? (code === null ? "" : `code ${code}`);
  const rows = run.lanes.map((lane) => [
    `#${lane.id}`,
    lane.processes.map(({ pid }) => pid).join(", "),
    count(lane.indices.length),
    count(lane.failed),
    time(lane.busy),
    percent(run.end > 0 ? Math.min(1, lane.busy / run.end) : 0),
    lane.processes.map(end).filter(Boolean).join(", "),
  ]);
  return table(
    ["Worker", "Process", "#Events", "#Failed", "#Busy", "#Of the run", "Ended by"],
    rows,
    "Workers",
  );
}

/** The zoom's buttons, and what they say. */
function zoom() {
  const tell = () => {
    byId("range").textContent =
      view.length >= view.end ? "" : `${time(view.from)} to ${time(view.to)}`;
  };
  byId("zoom-in").onclick = () => view.zoom(1);
  byId("zoom-out").onclick = () => view.zoom(-1);
  byId("zoom-reset").onclick = () => view.reset();
  view.onChange(tell);
  tell();
}

function overTime() {
  if (run.unlisted > 0) {
    const hint = `Shown are the first ${count(events.count)} of ${count(run.total)} events.`;
    byId("legend").before(element("p.hint", hint));
  }
  if (data.workers.length > 0) new Gantt(byId("gantt"), run, view);
  whenOpen(byId("workers"), workers);
  const charts = [
    [
      "throughput",
      "Events ended per second",
      (...time) => run.throughput(...time),
      [
        { name: "All", colour: "answered" },
        { name: "Failed", colour: "error" },
      ],
    ],
    [
      "load",
      "Events waiting and running",
      (...time) => run.load(...time),
      [
        { name: "Waiting", colour: "waiting", step: true },
        { name: "Running", colour: "answered", dash: [5, 3], step: true },
      ],
    ],
  ];
  for (const [id, label, values, series] of charts) {
    new TimeChart(byId(id), label, view, values, series);
    const heads = ["#At", ...series.map(({ name }) => `#${name}`)];
    const refresh = whenOpen(byId(`${id}-table`), () => {
      const [times, ...columns] = values(view.from, view.to, TABLE_BINS);
      return table(
        heads,
        times.map((ms, at) => [time(ms), ...columns.map((column) => about(column[at]))]),
        label,
      );
    });
    view.onChange(refresh);
  }
}

function howLong() {
  const made = [
    ["runs", "How long events ran", run.run, "answered"],
    ["waits", "How long events waited", run.wait, "waiting"],
  ].map(([id, label, sorted, of]) => {
    const bars = histogram(sorted);
    const lines = [
      ["p50", 0.5],
      ["p90", 0.9],
      ["p99", 0.99],
    ].map(([name, share]) => ({ name, ms: percentile(sorted, share) }));
    whenOpen(byId(`${id}-table`), () => {
      const figures = [...lines, { name: "longest", ms: percentile(sorted, 1) }].map(
        ({ name, ms }) => [name, time(ms)],
      );
      const rows = bars.counts.map((some, at) => [
        `${time(bars.edges[at][0])} to ${time(bars.edges[at][1])}`,
        count(some),
      ]);
      return element(
        "div",
        table(["Of all", "#Within"], figures, `${label}: percentiles`),
        table(
          ["Time", "#Events"],
          rows.filter((_, at) => bars.counts[at] > 0),
          label,
        ),
      );
    });
    if (sorted.length === 0) {
      byId(id).append(element("p.empty", "No event has run."));
      return null;
    }
    return new Histogram(byId(id), label, bars, of, lines);
  });
  byId("log-counts").onchange = ({ target }) => {
    for (const chart of made) if (chart !== null) chart.setLog(target.checked);
  };
}

/** A button that shows an event among the workers. */
function showEvent(at) {
  const button = element("button", String(events.id[at]));
  button.type = "button";
  button.title = "Show it among the workers";
  button.onclick = () => {
    const around = Math.max(run.runs[at], 0.01) * 1.5;
    view.show(events.started[at] - around, events.finished[at] + around);
    byId("h-workers").scrollIntoView({ behavior: "smooth" });
  };
  return button;
}

function slowest() {
  const rows = run.slowest().map((at) => {
    const name = data.outcomes[events.outcome[at]];
    const worker = data.workers[events.process[at]];
    return [
      showEvent(at),
      `#${worker.id}`,
      String(worker.pid),
      time(events.started[at]),
      time(run.waits[at]),
      time(run.runs[at]),
      tag(name, name),
      String(events.attempts[at]),
    ];
  });
  const heads = [
    "#Event",
    "Worker",
    "#Process",
    "#Started",
    "#Waited",
    "#Ran",
    "Outcome",
    "#Attempts",
  ];
  fill("slowest", heads, rows, "Slowest events", "No event has run.");
}

function fill(id, heads, rows, caption, none) {
  byId(id).append(rows.length > 0 ? table(heads, rows, caption) : element("p.empty", none));
}

/** A cell whose text may be long and of several lines. */
const longText = (text) => element("div.text", text);

function failures() {
  const rows = data.failures.map(({ id, worker, name, message, code, attempts }) => [
    String(id),
    worker ? `#${worker}` : "",
    String(name),
    code === null || code === undefined ? "" : String(code),
    longText(String(message)),
    String(attempts),
  ]);
  const heads = ["#Event", "Worker", "Error", "Code", "Message", "#Attempts"];
  fill("failures", heads, rows, "Failures", "No event has failed.");
  const left = run.failed - data.failures.length;
  if (left > 0)
    byId("failures").append(
      element("p.hint", `The first ${count(rows.length)} of ${count(run.failed)}.`),
    );
}

function marks() {
  // Of more than there is room for, retries are left out first.
  const isRetry = ({ kind }) => Number(kind === "retry");
  const first = [...data.marks].sort((a, b) => isRetry(a) - isRetry(b)).slice(0, MOST_ROWS);
  const rows = first
    .sort((a, b) => a.at - b.at)
    .map(({ at, kind, worker, text }) => {
      return [time(at), markOf(kind), worker === null ? "master" : `#${worker}`, longText(text)];
    });
  const heads = ["#At", "What", "Worker", "Details"];
  fill("marks", heads, rows, "Crashes, retries, restarts", "There were none.");
  if (data.marks.length > MOST_ROWS) {
    const hint = `${count(MOST_ROWS)} of ${count(data.marks.length)}.`;
    byId("marks").append(element("p.hint", hint));
  }
}

head();
tiles();
legend();
zoom();
overTime();
howLong();
slowest();
failures();
marks();
