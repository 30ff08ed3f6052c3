// The charts, drawn by uPlot in the colours of the page.

import uPlot from "uplot";
import { colour, onScheme } from "./dom.mjs";
import { GUTTER } from "./lanes.mjs";
import { about, count, percent, tick, time } from "./text.mjs";

const HEIGHT = 190;

/** Pixels for a time label on an axis. */
const LABEL = 52;

/** The base of all charts: size, colours, and redrawing when the colours change. */
class Chart {
  constructor(box, label) {
    this.box = box;
    this.label = label;
    onScheme(() => this.make());
    new ResizeObserver(() => {
      const width = box.clientWidth;
      if (this.plot !== undefined && width > 0 && width !== this.plot.width)
        this.plot.setSize({ width, height: HEIGHT });
    }).observe(box);
  }

  axis(more) {
    const line = colour("line");
    const font = "12px system-ui, 'DejaVu Sans', sans-serif";
    return {
      stroke: colour("soft"),
      font,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1, size: 5 },
      ...more,
    };
  }

  make() {
    if (this.plot !== undefined) this.plot.destroy();
    const options = {
      width: this.box.clientWidth,
      height: HEIGHT,
      padding: [10, 16, 0, 0],
      ...this.options(),
    };
    this.plot = new uPlot(options, this.data(), this.box);
    const canvas = this.box.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${this.label}. The table below has the same data.`);
  }
}

/** A value over time. The view determines the visible time. */
export class TimeChart extends Chart {
  /**
   * @param {HTMLElement} box
   * @param {string} label
   * @param {import("./view.mjs").View} view
   * @param {(from: number, to: number) => number[][]} values
   * @param {{ name: string, colour: string, dash?: number[] }[]} series
   * @param {string} unit behind each value; without one they are counts
   */
  constructor(box, label, view, values, series, unit = "") {
    super(box, label);
    this.view = view;
    this.values = values;
    this.series = series;
    this.unit = unit;
    view.onChange(() => {
      this.plot.setData(this.data(), false);
      this.plot.batch(() => {
        this.plot.setScale("x", { min: view.from, max: view.to });
        this.plot.setScale("y", { min: null, max: null });
      });
    });
    this.make();
    box.addEventListener("dblclick", () => view.reset());
  }

  data() {
    const { from, to } = this.view;
    return this.values(from, to);
  }

  options() {
    const { unit, view } = this;
    const lines = this.series.map(({ name, colour: of, dash, step }) => ({
      label: name,
      stroke: colour(of),
      fill: dash === undefined ? `${colour(of)}22` : undefined,
      width: 1.75,
      dash,
      paths: step ? uPlot.paths.stepped({ align: 1 }) : undefined,
      points: { show: false },
      value: (_, value) => (value === null || value === undefined ? "–" : `${about(value)}${unit}`),
    }));
    return {
      scales: {
        x: { time: false, min: view.from, max: view.to },
        y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
      },
      axes: [
        this.axis({
          size: 30,
          space: 80,
          incrs: STEPS,
          values: (_, splits) =>
            splits.map((ms) => (ms === 0 ? "0" : tick(ms, splits[1] - splits[0] || 1))),
        }),
        this.axis({
          size: GUTTER,
          ...(unit === "" ? { incrs: INTEGERS } : {}),
          values: (_, splits) => splits.map((value) => `${about(value)}${unit}`),
        }),
      ],
      series: [
        { label: "At", value: (_, ms) => (ms === null || ms === undefined ? "–" : time(ms)) },
        ...lines,
      ],
      cursor: { sync: { key: "time" }, drag: { x: true, y: false, setScale: false } },
      hooks: { setSelect: [(plot) => this.select(plot)] },
    };
  }

  select(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.view.show(from, to);
  }
}

/** A histogram of times. Its bars grow by a constant factor. */
export class Histogram extends Chart {
  /**
   * @param {HTMLElement} box
   * @param {string} label
   * @param {{ logs: number[], counts: number[], edges: number[][] }} bars
   * @param {string} of the bars' colour
   * @param {{ name: string, ms: number }[]} lines
   */
  constructor(box, label, bars, of, lines) {
    super(box, label);
    this.bars = bars;
    this.of = of;
    this.lines = lines;
    this.isLog = false;
    this.all = bars.counts.reduce((sum, some) => sum + some, 0);
    this.make();
  }

  /** @param {boolean} isLog whether the count axis is logarithmic */
  setLog(isLog) {
    this.isLog = isLog;
    this.make();
  }

  data() {
    const { logs, counts } = this.bars;
    // Adding one makes the bar of a single event visible.
    return [logs, this.isLog ? counts.map((some) => Math.log10(some + 1)) : counts];
  }

  options() {
    const { logs, counts, edges } = this.bars;
    const ends = [logs[0] - 0.1, logs[logs.length - 1] + 0.1];
    const between = (_, at) =>
      at === null || counts[at] === undefined
        ? "–"
        : `${time(edges[at][0])} to ${time(edges[at][1])}`;
    const many = (_, at) =>
      at === null || counts[at] === undefined
        ? "–"
        : `${count(counts[at])} (${percent(counts[at] / this.all)})`;
    return {
      scales: {
        x: { time: false, range: () => ends },
        y: { range: (_, __, most) => [0, most * 1.08] },
      },
      axes: [
        this.axis({
          size: 30,
          splits: (plot) => decades(ends, plot.bbox.width / (devicePixelRatio || 1)),
          values: (_, splits) => splits.map((log) => time(10 ** log)),
        }),
        this.axis({
          size: GUTTER,
          ...(this.isLog
            ? {
                splits: (_, __, ___, most) => powers(most),
                values: (_, splits) => splits.map((log) => about(10 ** log - 1)),
              }
            : { incrs: INTEGERS, values: (_, splits) => splits.map(about) }),
        }),
      ],
      series: [
        { label: "Time", value: (_, __, ___, at) => between(_, at) },
        {
          label: "Events",
          stroke: colour(this.of),
          fill: `${colour(this.of)}99`,
          width: 1,
          paths: uPlot.paths.bars({ size: [0.92], radius: 0.12 }),
          points: { show: false },
          value: (_, __, ___, at) => many(_, at),
        },
      ],
      cursor: { drag: { x: false, y: false }, y: false },
      hooks: { draw: [(plot) => this.drawLines(plot)] },
    };
  }

  /** Draws the percentiles as lines with a label at the top. */
  drawLines(plot) {
    const { ctx: pen, bbox } = plot;
    const scale = devicePixelRatio || 1;
    pen.save();
    pen.font = `${11 * scale}px system-ui, 'DejaVu Sans', sans-serif`;
    pen.setLineDash([4 * scale, 3 * scale]);
    pen.strokeStyle = colour("ink");
    pen.fillStyle = colour("ink");
    pen.textAlign = "left";
    pen.textBaseline = "top";
    this.lines.forEach(({ name, ms }, row) => {
      const x = Math.round(plot.valToPos(Math.log10(Math.max(ms, 0.001)), "x", true));
      pen.beginPath();
      pen.moveTo(x, bbox.top);
      pen.lineTo(x, bbox.top + bbox.height);
      pen.stroke();
      const width = pen.measureText(name).width;
      const isRight = x + width + 6 * scale > bbox.left + bbox.width;
      pen.fillText(
        name,
        isRight ? x - width - 4 * scale : x + 4 * scale,
        bbox.top + (1 + row * 13) * scale,
      );
    });
    pen.restore();
  }
}

/** Distances of ticks: 1, 2 or 5 times a power of ten. */
const steps = (from, to) => {
  const all = [];
  for (let power = from; power <= to; power++)
    all.push(...[1, 2, 5].map((factor) => Number(`${factor}e${power}`)));
  return all;
};

/** In milliseconds. */
const STEPS = steps(-4, 10);

/** For counts. */
const INTEGERS = steps(0, 9);

/** Ticks at the powers of ten in the range, and at 2 and 5 times each if there is room. */
function decades([from, to], width) {
  const hasRoom = width / (to - from) > 3 * LABEL;
  const parts = hasRoom ? [0, Math.log10(2), Math.log10(5)] : [0];
  const all = [];
  for (let power = Math.floor(from); power <= to; power++) {
    all.push(...parts.map((part) => power + part));
  }
  return all.filter((log) => log >= from && log <= to);
}

/** Ticks for the counts 0, 1, 10, 100 and so on, at the logarithm of each count plus one. */
function powers(most) {
  const all = [0, Math.log10(2)];
  for (let power = 1; Math.log10(10 ** power + 1) <= most; power++)
    all.push(Math.log10(10 ** power + 1));
  return all;
}
