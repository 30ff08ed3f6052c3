"use strict";
/** Shows what cells came to: a row for each fault, a column for each moment, for the terminal and in Markdown. */
const fs = require("node:fs");

/** @typedef {{ title: string, faults: string[], moments: string[], cells: any[] }} Matrix */

/** What the variants of a fault at a moment came to, in a few words. */
function wordsOf(list) {
  const words = list.map(({ expected, failure, givenUp }) => {
    if (failure) return "FAILED";
    if (expected.orphans) return "all end";
    if (givenUp) return "given up";
    if (expected.rejects) return "call rejects";
    return expected.fails ? "fails" : "answered";
  });
  const isReplaced = list.some(({ expected, failure }) => expected.replaces && !failure);
  // Those that fail without retries come first.
  return [...new Set(words)].sort().reverse().join(" / ") + (isReplaced ? ", replaced" : "");
}

/** @param {Matrix} matrix */
function rowsOf({ faults, moments, cells }) {
  const of = (fault, moment) =>
    cells.filter((cell) => cell.fault === fault && cell.moment === moment);
  const row = (fault) => [fault, ...moments.map((moment) => wordsOf(of(fault, moment)))];
  return [["", ...moments], ...faults.map(row)];
}

/** @param {Matrix} matrix */
function table(matrix) {
  const rows = rowsOf(matrix);
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  const lines = rows.map((row) => row.map((text, at) => text.padEnd(widths[at])).join("  "));
  return [matrix.title, ...lines].join("\n");
}

/** @param {Matrix} matrix */
function markdown(matrix) {
  const [head, ...rows] = rowsOf(matrix).map((row) => `| ${row.join(" | ")} |`);
  const ruler = `|${" --- |".repeat(1 + matrix.moments.length)}`;
  return [`${matrix.title}:`, "", head, ruler, ...rows, ""].join("\n");
}

const [BEGIN, END] = ["<!-- the matrix, as generated -->", "<!-- end of the matrix -->"];

/** Puts the tables and the sum in between the marks of a Markdown file. @param {string} file @param {Matrix[]} matrices @param {string} sum */
function write(file, matrices, sum) {
  const text = fs.readFileSync(file, "utf8");
  const [before, after] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))];
  const middle = [BEGIN, "", ...matrices.map(markdown), `${sum}.`, ""].join("\n");
  fs.writeFileSync(file, `${before}${middle}\n${after}`);
}

module.exports = { table, write };
