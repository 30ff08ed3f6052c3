// What charts with a lane for each worker have in common: their margins, the axis of time below them, and the names beside them.

import { stepOf, tick } from "./text.mjs";

/** The width of the labels. The charts below have their axis at the same position. */
export const GUTTER = 64;
export const RIGHT = 16;
export const AXIS = 26;

export const FONT = "12px system-ui, 'DejaVu Sans', sans-serif";

/** Pixels behind the last lane, which labels of the axis may use. */
const EDGE = 10;

/** Lines at round times, with labels below all lanes. `zero`: what stands for 0; `x`: where a time is. */
export function drawAxis(pen, { colours, width, height, from, to, x, zero }) {
  const step = stepOf(to - from, width / 90);
  pen.font = FONT;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let at = Math.ceil(from / step) * step; at <= to + step * 1e-6; at += step) {
    const left = Math.round(x(at)) + 0.5;
    pen.strokeStyle = colours.line;
    pen.beginPath();
    pen.moveTo(left, 0);
    pen.lineTo(left, height - AXIS + 4);
    pen.stroke();
    pen.fillStyle = colours.soft;
    const label = at === 0 ? zero : tick(at, step);
    const room = GUTTER + width + EDGE - pen.measureText(label).width / 2;
    pen.fillText(label, Math.min(left, room), height - AXIS / 2 + 3);
  }
}

/** The name of a lane. If lanes are narrow, only some names fit. */
export function drawName(pen, { colours, name, row, height }) {
  const every = Math.ceil(13 / height);
  if (row % every !== 0) return;
  pen.font = FONT;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.fillStyle = colours.soft;
  pen.fillText(fitting(pen, name), GUTTER - 10, (row + 0.5) * height);
}

/** A name without its beginning, if it has no room. */
function fitting(pen, name) {
  let text = name;
  for (let cut = 1; cut < name.length && pen.measureText(text).width > GUTTER - 12; cut++)
    text = `…${name.slice(cut)}`;
  return text;
}
