// The lanes of the workers: which events each worker ran, and when. If there are more events than pixels, the
// height of each column of pixels is the share of its time in which the worker was busy.

import { colour, element, hideTip, onScheme, showTip } from "./dom.mjs";
import { AXIS, drawAxis, drawName, GUTTER, RIGHT } from "./lanes.mjs";
import { below } from "./run.mjs";
import { placeOf, time, workerName } from "./text.mjs";

/** The symbols of the marks. Later ones are drawn on top. */
const GLYPHS = {
  backpressure: "■",
  retry: "↻",
  recycle: "○",
  restart: "▲",
  kill: "◆",
  abort: "▼",
  crash: "✕",
};
const OTHER = "●";
const RANKS = Object.keys(GLYPHS);

/** If a lane has more marks of one kind, they are drawn as ticks at its edge, so that they hide no events. */
const MANY = 25;

export const glyphOf = (kind) => GLYPHS[kind] ?? OTHER;

/** The colour of a mark. */
export const markColour = (kind) =>
  ({ retry: "timeout", restart: "waiting", kill: "timeout", abort: "error", crash: "crash" })[
    kind
  ] ?? "nothing";

/** The outcomes. Each name is also a colour of the page. */
export const NAMES = ["answered", "nothing", "error", "crash", "timeout", "aborted"];

export class Gantt {
  /**
   * @param {HTMLElement} box
   * @param {import("./run.mjs").Run} run
   * @param {import("./view.mjs").View} view
   */
  constructor(box, run, view) {
    this.box = box;
    this.run = run;
    this.view = view;
    const isMaster = (mark) => !run.lanes.some((lane) => lane.id === mark.worker);
    this.lanes = [...run.lanes];
    const ofMaster = run.data.marks.filter(isMaster);
    if (ofMaster.length > 0)
      this.lanes.unshift({ id: null, processes: [], indices: [], starts: [], ends: [] });
    const isOf = (lane, mark) => (lane.id === null ? isMaster(mark) : mark.worker === lane.id);
    const ranked = [...run.data.marks].sort(
      (a, b) => RANKS.indexOf(a.kind) - RANKS.indexOf(b.kind),
    );
    this.marks = new Map(
      this.lanes.map((lane) => [lane, ranked.filter((mark) => isOf(lane, mark))]),
    );
    this.height = Math.max(12, Math.min(36, Math.floor(420 / Math.max(1, this.lanes.length))));
    this.canvas = element("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute(
      "aria-label",
      `What ${run.lanes.length} workers ran, and when: ${run.events.count} events in ${time(run.end)}. The table below has the same data.`,
    );
    box.replaceChildren(this.canvas);
    this.pen = this.canvas.getContext("2d");
    /** Where a drag started, in pixels. */
    this.drag = null;
    this.listen();
    this.redraw = () => {
      if (this.frame === undefined) this.frame = requestAnimationFrame(() => this.draw());
    };
    view.onChange(this.redraw);
    onScheme(this.redraw);
    new ResizeObserver(this.redraw).observe(box);
  }

  x(ms) {
    return GUTTER + ((ms - this.view.from) / this.view.length) * this.width;
  }

  ms(x) {
    return this.view.from + ((x - GUTTER) / this.width) * this.view.length;
  }

  draw() {
    this.frame = undefined;
    const { canvas, pen, lanes } = this;
    const scale = devicePixelRatio || 1;
    const whole = this.box.clientWidth;
    const height = lanes.length * this.height + AXIS;
    this.width = Math.max(10, whole - GUTTER - RIGHT);
    canvas.width = Math.round(whole * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.colours = Object.fromEntries(
      [...NAMES, "waiting", "track", "line", "soft", "ink", "card"].map((name) => [
        name,
        colour(name),
      ]),
    );
    const { colours, view, width } = this;
    const x = (ms) => this.x(ms);
    drawAxis(pen, { colours, width, height, from: view.from, to: view.to, x, zero: "0" });
    lanes.forEach((lane, row) => {
      const name = lane.id === null ? "master" : workerName(lane.id, lane.host);
      drawName(pen, { colours, name, row, height: this.height });
      pen.save();
      pen.beginPath();
      pen.rect(GUTTER, 0, this.width, height);
      pen.clip();
      this.drawLane(lane, row);
      pen.restore();
      this.drawMarks(lane, row);
    });
    if (this.drag !== null && this.pointer !== undefined) this.drawDrag(height);
  }

  drawLane(lane, row) {
    const { pen, colours, run } = this;
    const top = row * this.height + 2;
    const height = this.height - 4;
    for (const worker of lane.processes) {
      const ready = worker.ready ?? run.endOf(worker);
      pen.fillStyle = colours.track;
      pen.fillRect(this.x(ready), top, this.x(run.endOf(worker)) - this.x(ready), height);
      // A thin line while the worker starts.
      pen.fillStyle = colours.nothing;
      pen.globalAlpha = 0.6;
      pen.fillRect(
        this.x(worker.started),
        top + height / 2 - 1,
        Math.max(1, this.x(ready) - this.x(worker.started)),
        2,
      );
      pen.globalAlpha = 1;
    }
    const first = below(lane.ends, this.view.from);
    const last = below(lane.starts, this.view.to);
    if (last - first < this.width / 2) this.drawEvents(lane, first, last, top, height);
    else this.drawColumns(lane, first, last, top, height);
  }

  drawEvents(lane, first, last, top, height) {
    const { pen, colours } = this;
    const { started, finished, outcome } = this.run.events;
    for (let place = first; place < last; place++) {
      const at = lane.indices[place];
      const left = Math.max(-10, this.x(started[at]));
      const width = Math.min(this.x(finished[at]), this.width + GUTTER + 10) - left;
      pen.fillStyle = colours[NAMES[outcome[at]]];
      // A gap between events, if there is room.
      pen.fillRect(left, top, Math.max(1, width > 3 ? width - 1 : width), height);
    }
  }

  drawColumns(lane, first, last, top, height) {
    const { pen, colours } = this;
    const columns = this.columns(lane, first, last);
    for (let x = 0; x < this.width; x++) {
      let bottom = top + height;
      columns.forEach((column, outcome) => {
        if (column === undefined || column[x] === 0) return;
        // Failures are rare and must be visible.
        const least = outcome < 2 ? 1 : 3;
        const high = Math.min(bottom - top, Math.max(least, column[x] * height));
        pen.fillStyle = colours[NAMES[outcome]];
        pen.fillRect(GUTTER + x, bottom - high, 1, high);
        bottom -= high;
      });
    }
  }

  /** For each outcome, the share of each pixel column in which such events ran. */
  columns(lane, first, last) {
    const { started, finished, outcome } = this.run.events;
    const width = Math.ceil(this.width);
    const columns = [];
    for (let place = first; place < last; place++) {
      const at = lane.indices[place];
      columns[outcome[at]] ??= new Float32Array(width);
      const column = columns[outcome[at]];
      const from = Math.max(0, this.x(started[at]) - GUTTER);
      const to = Math.min(width - 1e-3, this.x(finished[at]) - GUTTER);
      const firstX = Math.floor(from);
      const lastX = Math.floor(to);
      if (firstX >= width || lastX < 0) continue;
      if (firstX === lastX) column[firstX] += Math.max(to - from, 1e-6);
      else {
        column[firstX] += firstX + 1 - from;
        for (let x = firstX + 1; x < lastX; x++) column[x] += 1;
        column[lastX] += to - lastX;
      }
    }
    return columns;
  }

  drawMarks(lane, row) {
    const { pen } = this;
    const { from, to } = this.view;
    const shown = this.marks.get(lane).filter(({ at, until = at }) => until >= from && at <= to);
    const counts = new Map();
    for (const { kind } of shown) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = "bold 12px system-ui, 'DejaVu Sans', sans-serif";
    pen.lineWidth = 2.5;
    pen.strokeStyle = this.colours.card;
    for (const { at, until, kind } of shown) {
      const x = this.x(at);
      pen.fillStyle = this.colours[markColour(kind)];
      // A mark with a duration is a line.
      if (until !== undefined) {
        const left = Math.max(GUTTER, x);
        const right = Math.min(GUTTER + this.width, this.x(until));
        pen.fillRect(left, (row + 0.5) * this.height - 3, Math.max(1, right - left), 6);
        continue;
      }
      if (counts.get(kind) > MANY) {
        pen.fillRect(x - 1, row * this.height, 2, 5);
        continue;
      }
      const y = (row + 0.5) * this.height;
      pen.strokeText(glyphOf(kind), x, y);
      pen.fillText(glyphOf(kind), x, y);
    }
    pen.lineWidth = 1;
  }

  drawDrag(height) {
    const { pen } = this;
    pen.fillStyle = this.colours.answered;
    pen.globalAlpha = 0.22;
    pen.fillRect(
      Math.min(this.drag, this.pointer),
      0,
      Math.abs(this.pointer - this.drag),
      height - AXIS,
    );
    pen.globalAlpha = 1;
  }

  listen() {
    const { canvas, view } = this;
    canvas.addEventListener("pointerdown", ({ offsetX, button, pointerId }) => {
      if (button !== 0) return;
      this.drag = Math.max(GUTTER, offsetX);
      canvas.setPointerCapture(pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      this.pointer = Math.min(Math.max(GUTTER, event.offsetX), GUTTER + this.width);
      if (this.drag !== null) this.redraw();
      else this.tell(event);
    });
    canvas.addEventListener("pointerup", () => {
      const { drag, pointer } = this;
      this.drag = null;
      if (drag !== null && Math.abs(pointer - drag) > 4) {
        view.show(this.ms(Math.min(drag, pointer)), this.ms(Math.max(drag, pointer)));
      } else this.redraw();
    });
    canvas.addEventListener("pointercancel", () => {
      this.drag = null;
      this.redraw();
    });
    canvas.addEventListener("pointerleave", hideTip);
    canvas.addEventListener("dblclick", () => view.reset());
    canvas.addEventListener(
      "wheel",
      (event) => {
        // Without a modifier the wheel scrolls the page.
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        view.zoom(event.deltaY < 0 ? 1 : -1, this.ms(event.offsetX));
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && view.press(event.key)) event.preventDefault();
    });
  }

  /** Shows a tip for the position of the pointer. */
  tell({ offsetX, offsetY, clientX, clientY }) {
    const lane = this.lanes[Math.floor(offsetY / this.height)];
    const text = lane === undefined || offsetX < GUTTER ? "" : this.textAt(lane, this.ms(offsetX));
    if (text === "") hideTip();
    else showTip(text, clientX, clientY);
  }

  textAt(lane, ms) {
    const { run } = this;
    const pixel = this.view.length / this.width;
    const near = 6 * pixel;
    const marks = this.marks
      .get(lane)
      .filter(({ at, until = at }) => ms > at - near && ms < until + near);
    const lines = marks
      .slice(0, 4)
      .map((mark) => `${glyphOf(mark.kind)} ${mark.kind} at ${time(mark.at)}: ${mark.text}`);
    const { started, finished } = run.events;
    const first = below(lane.ends, ms - pixel);
    const last = below(lane.starts, ms + pixel);
    const some = last - first;
    if (some > 3) lines.push(`${some} events around ${time(ms)}`);
    else
      for (let place = first; place < last; place++) lines.push(this.describe(lane.indices[place]));
    if (lines.length > 0) return lines.join("\n");
    const next = below(lane.starts, ms);
    const idle =
      next < lane.starts.length
        ? `next event at ${time(started[lane.indices[next]])}`
        : "no further event";
    const isOn = lane.processes.some((worker) => worker.started <= ms && run.endOf(worker) >= ms);
    if (lane.id === null) return "";
    const before =
      next > 0
        ? `last event finished at ${time(finished[lane.indices[next - 1]])}`
        : "no earlier event";
    return isOn ? `worker ${placeOf(lane)} is idle at ${time(ms)}\n${before}, ${idle}` : "";
  }

  describe(at) {
    const { run } = this;
    const { id, process, started, outcome, attempts } = run.events;
    const worker = run.data.workers[process[at]];
    const tried = attempts[at] > 1 ? `, attempt ${attempts[at]}` : "";
    const text = run.textOf(id[at]);
    const what = text === "" ? "" : `\n${text}`;
    return `event ${id[at]}: ${run.data.outcomes[outcome[at]]}${tried}${what}\nran ${time(run.runs[at])} from ${time(started[at])}, waited ${time(run.waits[at])}\nworker ${placeOf(worker)}, pid ${worker.pid}`;
  }
}
