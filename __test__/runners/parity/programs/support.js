"use strict";
const fs = require("fs");
const path = require("path");

/** JSON loses these; a comparison must not. */
function kept(_key, value) {
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    return Object.is(value, -0) ? "<-0>" : `<${value}>`;
  }
  if (value === undefined || typeof value === "function" || typeof value === "symbol")
    return `<${typeof value}>`;
  if (typeof value === "bigint") return `<${value}n>`;
  if (value instanceof Error) return { name: value.name, message: value.message, code: value.code };
  return value;
}

/** Past `console.log`, which some programs patch. */
exports.report = (value) => process.stdout.write(`RESULT ${JSON.stringify(value, kept)}\n`);
exports.note = (who, text) => process.stdout.write(`NOTE ${who} ${text}\n`);
exports.both = (results, failed) => ({
  results: results.getElements(),
  failed: failed.getElements(),
});

const inScratch = (name) => path.join(process.env.PARITY_SCRATCH, name);
/** Barriers between processes: files, since the channels are what is under test. */
exports.raise = (flag) => fs.writeFileSync(inScratch(flag), "");
exports.isRaised = (flag) => fs.existsSync(inScratch(flag));
exports.until = async (condition) => {
  while (!condition()) await new Promise((done) => setTimeout(done, 5));
};
exports.raised = (flag) => exports.until(() => exports.isRaised(flag));
/** One line per call, from whichever process: what really ran, and how often. */
exports.record = (file, line) => fs.appendFileSync(inScratch(file), `${line}\n`);
exports.recorded = (file) =>
  exports.isRaised(file) ? fs.readFileSync(inScratch(file), "utf8").split("\n").slice(0, -1) : [];
