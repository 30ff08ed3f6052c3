// The lanes of the workers, as they work: for each the last minute, from left to right, as high as the share of the time in which it was busy.

import { colour, element, hideTip, onScheme, showTip } from "./dom.mjs";
import { AXIS, drawAxis, drawName, GUTTER, RIGHT } from "./lanes.mjs";
import { ROW } from "./live-state.mjs";
import { percent, placeOf, workerName } from "./text.mjs";

/** The height of a lane: less with many workers, so that all fit, and never less than can be seen. */
const HIGHEST = 30;
const LOWEST = 5;
const WHOLE = 420;

export class LiveGantt {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.lanes = [];
    this.marks = [];
    this.now = 0;
    this.window = 1;
    this.canvas = element("canvas");
    this.canvas.setAttribute("role", "img");
    box.replaceChildren(this.canvas);
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Workers over time");
    this.pen = this.canvas.getContext("2d");
    this.redraw = () => {
      if (this.frame === undefined) this.frame = requestAnimationFrame(() => this.draw());
    };
    onScheme(this.redraw);
    new ResizeObserver(this.redraw).observe(box);
    this.canvas.addEventListener("pointermove", (event) => this.tell(event));
    this.canvas.addEventListener("pointerleave", hideTip);
  }

  /** @param {any[]} lanes @param {any[]} marks crashes of the same workers @param {import("./live-state.mjs").LiveState} state */
  show(lanes, marks, { now, window }) {
    this.lanes = lanes;
    this.marks = marks;
    this.now = now;
    this.window = window;
    this.canvas.setAttribute(
      "aria-label",
      `What ${lanes.length} workers did in the last minute. The table below has the same data.`,
    );
    this.redraw();
  }

  x(at) {
    return GUTTER + ((at - this.now + this.window) / this.window) * this.width;
  }

  draw() {
    this.frame = undefined;
    const { canvas, pen, lanes } = this;
    const scale = devicePixelRatio || 1;
    const whole = this.box.clientWidth;
    const fitting = Math.floor(WHOLE / Math.max(1, lanes.length));
    this.height = Math.max(LOWEST, Math.min(HIGHEST, fitting));
    const height = lanes.length * this.height + AXIS;
    this.width = Math.max(10, whole - GUTTER - RIGHT);
    canvas.width = Math.round(whole * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const names = ["answered", "nothing", "waiting", "crash", "track", "line", "soft", "card"];
    this.colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
    const { colours, width } = this;
    const x = (at) => this.x(this.now + at);
    drawAxis(pen, { colours, width, height, from: -this.window, to: 0, x, zero: "now" });
    for (const [row, lane] of lanes.entries()) this.drawLane(lane, row);
    this.drawMarks();
  }

  drawLane(lane, row) {
    const { pen, colours, height } = this;
    drawName(pen, { colours, name: workerName(lane.id, lane.row?.[ROW.host]), row, height });
    const gap = height > 12 ? 2 : 0.5;
    const top = row * height + gap;
    const high = height - 2 * gap;
    const { samples } = lane;
    for (let at = Math.max(1, samples.since(this.now - this.window)); at < samples.length; at++) {
      const { share, running, at: end } = samples.at(at);
      // Whole pixels, so that there is no line between two.
      const left = Math.max(GUTTER, Math.round(this.x(samples.at(at - 1).at)));
      const width = Math.round(this.x(end)) - left;
      if (width <= 0) continue;
      if (running === null) {
        // It starts.
        pen.fillStyle = colours.nothing;
        pen.fillRect(left, top + high / 2 - 1, width, Math.min(2, high));
        continue;
      }
      pen.fillStyle = colours.track;
      pen.fillRect(left, top, width, high);
      if (running > 0 && share < 1) {
        // An event that runs counts as busy when it ends.
        pen.fillStyle = colours.answered;
        pen.globalAlpha = 0.3;
        pen.fillRect(left, top, width, high);
        pen.globalAlpha = 1;
      }
      if (share === 0) continue;
      const own = Math.max(1, high * share);
      pen.fillStyle = colours.answered;
      pen.fillRect(left, top + high - own, width, own);
    }
  }

  drawMarks() {
    const { pen, colours } = this;
    const rows = new Map(this.lanes.map(({ id }, row) => [id, row]));
    pen.font = "bold 12px system-ui, 'DejaVu Sans', sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineWidth = 2.5;
    pen.strokeStyle = colours.card;
    pen.fillStyle = colours.crash;
    for (const { worker, at } of this.marks) {
      const row = rows.get(worker);
      if (row === undefined || at < this.now - this.window) continue;
      const [x, y] = [this.x(at), (row + 0.5) * this.height];
      pen.strokeText("✕", x, y);
      pen.fillText("✕", x, y);
    }
    pen.lineWidth = 1;
  }

  tell({ offsetX, offsetY, clientX, clientY }) {
    const lane = this.lanes[Math.floor(offsetY / this.height)];
    if (lane === undefined || offsetX < GUTTER || lane.row === undefined) return hideTip();
    const at = this.now + ((offsetX - GUTTER) / this.width - 1) * this.window;
    const { samples } = lane;
    const index = samples.since(at);
    const one = index < samples.length ? samples.at(index) : samples.last;
    if (one === undefined) return hideTip();
    const doing =
      one.running === null ? "starting" : `${percent(one.share)} busy, ${one.running} running`;
    const lines = [
      `worker ${placeOf({ id: lane.id, host: lane.row[ROW.host] })}, pid ${lane.row[ROW.pid]}`,
      doing,
      `${one.tasks} events finished`,
    ];
    return showTip(lines.join("\n"), clientX, clientY);
  }
}
