// The live page: follows the stream of a program's events, and shows what they tell a few times a second. When the program ends it keeps what
// it shows, and tries to find the next one.

import { TimeChart } from "./charts.mjs";
import { byId, element, table } from "./dom.mjs";
import { showFlow } from "./flow.mjs";
import { Failures } from "./live-failures.mjs";
import { HEADS, hostRows } from "./live-hosts.mjs";
import { LiveGantt } from "./live-gantt.mjs";
import { columns, LiveState, ROW, recentOf, total, WINDOW } from "./live-state.mjs";
import { about, bytes, count, many, percent, time, workerName } from "./text.mjs";

/** Milliseconds before the page tries to connect again: the first time, and at most. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5000;

/** Milliseconds between two refreshes of tables: people read them. */
const TABLES = 1000;

/** Rows of the table of the charts: one for every few seconds. */
const CHART_ROWS = 12;

const state = new LiveState();
const gantt = new LiveGantt(byId("gantt"));
const failures = new Failures(() => draw());

/** The last minute: charts have it always. */
const view = {
  from: -WINDOW,
  to: 0,
  length: WINDOW,
  listeners: [],
  onChange(listener) {
    this.listeners.push(listener);
  },
  show() {},
  reset() {},
};

let isPaused = false;
/** Which pool is shown; undefined: all. */
let scope;
let tabledAt = 0;
/** What the charts show now. */
let shown = columns([], 0);

/** What is behind a chart's values; the others are counts. */
const UNITS = { times: " ms", memory: " MiB" };

const CHARTS = [
  ["throughput", "Events finished per second", [1, 2], ["All", "answered"], ["Failed", "error"]],
  ["load", "Events waiting and running", [3, 4], ["Waiting", "waiting"], ["Running", "answered"]],
  [
    "times",
    "How long events run",
    [5, 6, 7],
    ["Mean", "answered"],
    ["p50 of a minute", "waiting"],
    ["p99 of a minute", "error"],
  ],
  ["memory", "Memory of all workers", [8], ["Memory", "timeout"]],
];

function charts() {
  for (const [id, label, at, ...series] of CHARTS) {
    const values = () => [shown[0], ...at.map((column) => shown[column])];
    const lines = series.map(([name, colour], index) => ({
      name,
      colour,
      dash: index > 0 ? [5, 3] : undefined,
    }));
    new TimeChart(byId(id), label, view, values, lines, UNITS[id]);
  }
}

/** How events fail, one and several. */
const KINDS = [
  ["error", "errors"],
  ["crash", "crashes"],
  ["timeout", "timeouts"],
  ["aborted", "aborted"],
];

/** The figures of the chosen pools. */
function tiles(pools) {
  const open = pools.filter(({ isOver }) => !isOver);
  const sum = (of) => open.reduce((all, pool) => all + of(pool), 0);
  const lanes = open.flatMap((pool) => [...pool.lanes.values()]);
  const busy = lanes.reduce((all, lane) => all + lane.busy(10_000), 0);
  const ended = total(pools, "answered") + total(pools, "nothing") + total(pools, "failed");
  const kinds = KINDS.map(([kind, several]) => {
    const of = ({ info }) => info.counts?.failures?.[kind] ?? 0;
    return [kind, several, pools.reduce((all, pool) => all + of(pool), 0)];
  }).filter(([, , value]) => value > 0);
  const failed = total(pools, "failed");
  const crashes = total(pools, "crashes");
  const last = (name) => sum(({ samples }) => samples.last?.[name] ?? 0);
  const all = [
    ["events", "Events", count(total(pools, "handedOver")), `${count(ended)} finished`],
    ["rate", "Per second", about(sum((pool) => pool.rate("done"))), "in the last two seconds"],
    [
      "failed",
      "Failed",
      count(failed),
      kinds.map(([kind, several, value]) => many(value, kind, several)).join(", "),
      failed > 0,
    ],
    ["waiting", "Waiting", count(last("waiting")), `${count(last("running"))} running`],
    [
      "workers",
      "Workers ready",
      count(sum(({ ready }) => ready)),
      `of ${count(sum(({ info }) => info.size ?? 0))}`,
    ],
    [
      "busy",
      "Workers busy",
      lanes.length > 0 ? percent(busy / lanes.length) : "–",
      "of the last 10 s",
    ],
    ["memory", "Memory", bytes(last("memory")), "of all workers"],
    ["crashes", "Crashes", count(crashes), many(total(pools, "restarts"), "restart"), crashes > 0],
  ];
  const box = byId("tiles");
  for (const [name, title, value, more, isBad] of all) {
    let tile = box.querySelector(`[data-tile="${name}"]`);
    if (tile === null) {
      const figure = element("dd.value");
      figure.dataset.figure = name;
      tile = element("div", element("dt", title), figure, element("dd.more"));
      tile.dataset.tile = name;
      box.append(tile);
    }
    const [, figure, small] = tile.children;
    if (figure.textContent !== value) figure.textContent = value;
    if (small.textContent !== more) small.textContent = more;
    tile.classList.toggle("bad", Boolean(isBad));
  }
}

/** Fills a table in again, and leaves what is scrolled or focused as it is. */
function fill(id, heads, rows, caption, none = "") {
  const box = byId(id);
  if (rows.length === 0) {
    box.replaceChildren(...(none === "" ? [] : [element("p.empty", none)]));
    return;
  }
  const made = table(heads, rows, caption);
  const before = box.querySelector("tbody");
  if (before === null) box.replaceChildren(made);
  else before.replaceWith(made.querySelector("tbody"));
}

/** The percentiles of the table of pools. */
const TIMES = /** @type {const} */ ([
  ["run", "p50"],
  ["run", "p99"],
  ["wait", "p50"],
  ["wait", "p99"],
]);

const longText = (text) => element("div.text", text);

const stateOf = ({ isOver, info, ready }) =>
  isOver ? "closed" : ready < (info.size ?? 0) ? `${ready} of ${info.size} workers ready` : "open";

function pools() {
  const rows = [];
  const row = (name, what, info, pool) => {
    const { handedOver, answered, nothing, failed } = info.counts ?? {};
    const rate = pool === undefined ? "" : about(pool.rate("done"));
    const figures = [handedOver, (answered ?? 0) + (nothing ?? 0), failed].map((some) =>
      count(some ?? 0),
    );
    const times = TIMES.map(([what, name]) => {
      const ms = recentOf(info, what, name);
      return ms === null ? "–" : time(ms);
    });
    rows.push([name, what, ...figures, rate, ...times]);
  };
  for (const pool of state.pools.values()) {
    row(longText(pool.name), stateOf(pool), pool.info, pool);
    for (const run of pool.info.runs ?? []) {
      const name = element("div.text.indented", `run ${run.number}: ${run.work}`);
      row(name, run.isOver ? "over" : "on", run);
    }
  }
  const heads = ["Pool or run", "State", "#Events", "#Answered", "#Failed", "#Per second"];
  const times = ["#Run p50", "#Run p99", "#Wait p50", "#Wait p99"].map(
    (name) => `${name}, last\u00a0min`,
  );
  fill("pools", [...heads, ...times], rows, "Pools and runs", "There is none yet.");
}

function workers(chosen) {
  if (!byId("workers").closest("details").open) return;
  const rows = chosen.flatMap((pool) =>
    [...pool.lanes.values()].map((lane) => {
      const { row } = lane;
      const isReady = row[ROW.running] !== null;
      const processor = row[ROW.processor];
      return [
        workerName(lane.id, row[ROW.host]),
        String(row[ROW.pid]),
        isReady ? (row[ROW.running] > 0 ? "busy" : "idle") : "starting",
        count(row[ROW.tasks]),
        percent(lane.busy(10_000)),
        isReady ? count(row[ROW.running]) : "",
        isReady ? bytes(row[ROW.memory]) : "–",
        processor === null ? "–" : percent(processor),
      ];
    }),
  );
  const heads = ["Worker", "#Process", "State", "#Events", "#Busy, last 10 s", "#Running"];
  fill("workers", [...heads, "#Memory", "#Processor"], rows, "Workers", "There is none.");
}

function chartsTable() {
  if (!byId("charts-table").closest("details").open) return;
  const [times, ...values] = shown;
  const every = Math.max(1, Math.ceil(times.length / CHART_ROWS));
  const rows = [];
  for (let at = times.length - 1; at >= 0; at -= every) {
    const figures = values.map((column) => (column[at] === null ? "–" : about(column[at])));
    rows.push([time(times[at]), ...figures]);
  }
  const heads = ["#At", "#Per second", "#Failed per second", "#Waiting", "#Running"];
  const times_ = ["#Mean, ms", "#p50 of a minute, ms", "#p99 of a minute, ms", "#Memory, MiB"];
  fill("charts-table", [...heads, ...times_], rows, "Charts", "There is nothing yet.");
}

function marks(ids) {
  const rows = state.marks
    .filter(({ pool }) => ids.has(pool))
    .reverse()
    .map(({ at, pool, worker, pid, code, signal }) => [
      new Date(at).toLocaleTimeString("en-GB"),
      longText(state.pools.get(pool)?.name ?? ""),
      `#${worker}`,
      String(pid),
      signal ?? `exit code ${code}`,
    ]);
  fill("marks", ["At", "Pool", "Worker", "#Process", "End"], rows, "Crashes", "No worker crashed.");
}

function locks() {
  const { used, held, pending } = state.locks;
  byId("locks-section").hidden = used.length === 0;
  if (used.length === 0) return;
  const sorted = [...used].sort((a, b) => b.wait.max - a.wait.max);
  const rows = sorted.map(({ name, granted, waited, wait, held: total }) => [
    longText(String(name)),
    count(granted),
    count(waited),
    ...[wait.p50, wait.p99, wait.max, total].map(time),
  ]);
  const waits = ["#Wait p50", "#Wait p99", "#Longest wait", "#Held"];
  fill("locks", ["Lock", "#Granted", "#Had to wait", ...waits], rows, "Locks");
  const who = ({ worker, pid }) =>
    worker === undefined ? `master, pid ${pid}` : `worker ${worker}, pid ${pid}`;
  const list = (all, what) =>
    all.map((one) => [longText(String(one.name)), what, one.mode, who(one)]);
  const requests = [...list(held, "holds"), ...list(pending, "waits")];
  fill(
    "requests",
    ["Lock", "Does", "Mode", "Who"],
    requests,
    "Requests for locks",
    "Nobody holds one now.",
  );
}

/** The machines of pools over a cluster. */
function showHosts(chosen) {
  const rows = hostRows(chosen);
  const isShown = chosen.some(({ info }) => info.hosts !== undefined);
  byId("hosts-section").hidden = !isShown;
  if (isShown) fill("hosts", HEADS, rows, "Hosts", "None has joined.");
}

/** The flow of the last run that has one. */
function flow(chosen) {
  const all = chosen.flatMap(({ info }) => [info, ...(info.runs ?? [])]);
  const found = all.filter(({ graph }) => graph !== undefined && graph !== null).pop();
  if (found === undefined) {
    byId("flow-section").hidden = true;
    return;
  }
  const box = byId("flow");
  const scrolled = [...box.querySelectorAll(".graph, .scroll")].map(({ scrollLeft, scrollTop }) => [
    scrollLeft,
    scrollTop,
  ]);
  const focused = [...box.querySelectorAll(".graph, .scroll")].indexOf(document.activeElement);
  box.replaceChildren();
  showFlow({ graph: found.graph, statistics: { nodes: found.nodes } });
  [...box.querySelectorAll(".graph, .scroll")].forEach((one, at) => {
    one.scrollTo(...(scrolled[at] ?? [0, 0]));
    if (at === focused) one.focus({ preventScroll: true });
  });
}

/** The choices of pools. */
function scopes() {
  const select = byId("scope");
  const wanted = [
    ["", "all pools and runs"],
    ...[...state.pools.values()].map(({ id, name }) => [String(id), name]),
  ];
  const text = JSON.stringify(wanted);
  if (select.dataset.choices === text) return;
  select.dataset.choices = text;
  select.replaceChildren(
    ...wanted.map(([value, name]) => {
      const option = element("option", name);
      option.value = value;
      return option;
    }),
  );
  if (scope !== undefined && !state.pools.has(scope)) scope = undefined;
  select.value = scope === undefined ? "" : String(scope);
}

function head() {
  const { program } = state;
  if (program === undefined) return;
  document.title = `${program.program}: dashboard`;
  byId("program").textContent = program.program;
  const started = new Date(program.startedAt);
  byId("about").textContent = [
    `since ${started.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" })}`,
    `pid ${program.pid}`,
    `Node.js ${program.node}`,
    program.platform,
  ].join(" · ");
  byId("made").textContent =
    `@tiemma/sonic-distribute ${program.package}. Charts: uPlot, © 2022 Leon Sorokin, MIT license (see the source of this page).`;
}

/** Shows what is known. */
function draw() {
  const chosen = state.chosen(scope);
  const ids = new Set(chosen.map(({ id }) => id));
  scopes();
  tiles(chosen);
  shown = columns(chosen, state.now);
  view.from = -state.window;
  view.length = state.window;
  for (const listener of view.listeners) listener();
  gantt.show(
    chosen
      .filter(({ isOver, lanes }) => !isOver || lanes.size > 0)
      .flatMap((pool) => [...pool.lanes.values()]),
    state.marks,
    state,
  );
  const at = performance.now();
  if (at - tabledAt < TABLES) return;
  tabledAt = at;
  pools();
  workers(chosen);
  chartsTable();
  failures.show(state, ids);
  marks(ids);
  locks();
  showHosts(chosen);
  flow(chosen);
}

/** Shows all of it now. */
function drawAll() {
  tabledAt = Number.NEGATIVE_INFINITY;
  head();
  draw();
}

/** @param {"connecting" | "live" | "ended" | "idle" | "lost"} name @param {string} text */
function tell(name, text) {
  const box = byId("state");
  box.dataset.state = name;
  if (box.textContent !== text) box.textContent = text;
}

let drawing;

/** At most once a frame, and not while nobody sees it. */
function drawSoon() {
  if (isPaused || drawing !== undefined) return;
  drawing = requestAnimationFrame(() => {
    drawing = undefined;
    draw();
  });
}

let pause = FIRST_PAUSE;

function connect() {
  // The token of the page's own address.
  const source = new EventSource(`events${location.search}`);
  let isOver = false;
  const on = (name, listener) =>
    source.addEventListener(name, ({ data }) => {
      const told = JSON.parse(data);
      listener(told);
    });
  const leave = () => {
    source.close();
    setTimeout(connect, pause);
    pause = Math.min(LONGEST_PAUSE, pause * 2);
  };
  on("snapshot", (told) => {
    state.snapshot(told);
    pause = FIRST_PAUSE;
    tell("live", "Live");
    if (!isPaused) drawAll();
  });
  on("frame", (told) => {
    state.frame(told);
    drawSoon();
  });
  on("end", () => {
    isOver = true;
    tell("ended", "The program has ended");
    drawAll();
  });
  on("idle", () => {
    isOver = true;
    tell("idle", "All runs are over");
    drawAll();
  });
  source.onerror = () => {
    if (!isOver && byId("state").dataset.state === "live")
      tell("lost", "Connection lost: the program has ended or is busy");
    leave();
  };
}

byId("scope").addEventListener("change", ({ target }) => {
  scope = target.value === "" ? undefined : Number(target.value);
  drawAll();
});
byId("pause").addEventListener("click", ({ currentTarget }) => {
  isPaused = !isPaused;
  currentTarget.setAttribute("aria-pressed", String(isPaused));
  currentTarget.textContent = isPaused ? "Go on" : "Pause";
  if (!isPaused) drawAll();
});
byId("search").addEventListener("input", drawAll);
for (const details of document.querySelectorAll("main > section > details"))
  details.addEventListener("toggle", drawAll);

function legend() {
  const box = (colour, opacity) => {
    const made = element("i");
    made.style.background = `var(--${colour})`;
    made.style.opacity = String(opacity);
    return made;
  };
  const cross = element("i.glyph", "✕");
  cross.style.color = "var(--crash)";
  byId("legend").append(
    element("span", box("answered", 1), "busy: the higher, the more of the time"),
    element("span", box("answered", 0.3), "running"),
    element("span", box("track", 1), "idle"),
    element("span", cross, "crash"),
  );
}

legend();
charts();
tell("connecting", "Connecting");
connect();
