"use strict";
/**
 * What a person sees who looks at a terminal: the bytes that a program wrote to one (`run` with `terminal`) go through
 * xterm.js, a whole terminal without a window.
 */
const { Terminal } = require("@xterm/headless");

/** After each drawing of progress: the cursor is back where it began. */
const DRAWING = /(?<=\x1b\[J(?:\x1b\[\d+A)?\r)/;

/**
 * @param {string} written
 * @param {{ rows: number, columns: number }} size
 * @returns {Promise<{ end: string[], drawings: string[][] }>} the lines that are seen at the end, those that have moved out at
 *   the top included, and those seen at each drawing
 */
async function seen(written, { rows, columns }) {
  const terminal = new Terminal({
    rows,
    cols: columns,
    scrollback: 10_000,
    allowProposedApi: true,
  });
  const drawings = [];
  const pieces = written.split(DRAWING);
  for (const [at, piece] of pieces.entries()) {
    await new Promise((resolve) => terminal.write(piece, () => resolve(undefined)));
    if (at < pieces.length - 1) drawings.push(linesOf(terminal));
  }
  const end = linesOf(terminal);
  terminal.dispose();
  return { end, drawings };
}

function linesOf({ buffer: { active } }) {
  const lines = Array.from({ length: active.length }, (_, at) =>
    active.getLine(at).translateToString(true),
  );
  return lines.filter((line) => line.trim() !== "");
}

module.exports = { seen };
