"use strict";
/**
 * Runs 1.0.3's own test suite, unmodified, against this package and against 1.0.3, in turns, and
 * prints the wall times side by side. It owns two temporary folders; the suite stays where npm put
 * it and is copied byte for byte.
 *
 *   node __test__/runners/original/run.js [--runs N]
 */
const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { runCommand } = require("../../support/command");
const { MODULES, ROOT, Workspace } = require("../../support/workspace");

const ORIGINAL = path.join(MODULES, "sonic-distribute-original");
const SUITE = ["test", ".mocharc.yml", "tsconfig.json", "package.json"];
const MOCHA = ["node_modules/mocha/bin/mocha", "-r", "ts-node/register", "test/*.spec.ts"];

/** Both resolve the suite's `../src` the same way, so that only the package differs. */
const OURS = { name: "2.0.0 (ours)", source: ROOT };
const THEIRS = { name: "1.0.3 (original)", source: ORIGINAL };

async function main() {
  const { values } = parseArgs({ options: { runs: { type: "string", default: "1" } } });
  const runs = Number(values.runs);
  if (!Number.isSafeInteger(runs) || runs < 1) {
    throw new RangeError(`--runs must be a whole number from 1 up, not ${values.runs}`);
  }

  const sides = [OURS, THEIRS].map((side) => ({ ...side, ...layOut(side), seconds: [] }));
  let [passed, failed] = [0, 0];
  try {
    for (let run = 0; run < runs; run++) {
      // Whoever goes first finds colder caches: take turns.
      for (const side of run % 2 === 0 ? sides : sides.slice().reverse()) {
        const end = await runSuite(side);
        side.seconds.push(end.seconds);
        const complaint = judge(end);
        // The original's own failure is news, not ours.
        if (complaint) console.error(`${side.name}, run ${run + 1}: ${complaint}\n${end.output}`);
        if (side !== sides[0]) continue;
        if (complaint) failed += 1;
        else passed += end.tests.length;
      }
    }
  } finally {
    for (const { workspace } of sides) workspace.remove();
  }

  const [ours, theirs] = sides.map((side) => median(side.seconds));
  console.log(`1.0.3's own suite, ${runs} run(s) each, wall time in seconds`);
  for (const { name, seconds } of sides) {
    const all = seconds.map((value) => value.toFixed(2)).join(" ");
    console.log(`  ${name.padEnd(18)} median ${median(seconds).toFixed(2)}   (${all})`);
  }
  console.log(`  ours takes ${(ours / theirs).toFixed(2)} of the original's time`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function layOut({ source }) {
  const workspace = new Workspace("original");
  for (const name of SUITE) workspace.copy(path.join(ORIGINAL, name));
  workspace.write("src/index.ts", `export * from ${JSON.stringify(source)};\n`);
  fs.symlinkSync(MODULES, workspace.path("node_modules"), "dir");
  for (const file of SUITE.flatMap((name) => filesIn(path.join(ORIGINAL, name)))) {
    const copy = workspace.path(path.relative(ORIGINAL, file));
    assert.strictEqual(hash(copy), hash(file), `${copy} is not what 1.0.3 ships`);
  }
  return { workspace };
}

async function runSuite({ workspace }) {
  const end = await runCommand(process.execPath, MOCHA, { cwd: workspace.folder });
  return { ...end, tests: end.stdout.match(/Map reduce - (MASTER|WORKER-\d+)/g) ?? [] };
}

/**
 * The suite's one test ends the master with `process.exit(0)` once the result is right, before mocha
 * says so; only the worker's mocha gets to its summary.
 * @returns {string | undefined} What is wrong.
 */
function judge({ code, signal, stdout, tests }) {
  if (code !== 0) return `ended with ${signal ?? `code ${code}`}`;
  const sorted = tests.slice().sort().join(", ");
  if (sorted !== "Map reduce - MASTER, Map reduce - WORKER-1") return `ran: ${sorted || "nothing"}`;
  if (/\d+ failing/.test(stdout)) return "a test failed";
  if (stdout.match(/1 passing/g)?.length !== 1) return "the worker's test did not pass";
  return undefined;
}

function filesIn(target) {
  if (!fs.statSync(target).isDirectory()) return [target];
  return fs.readdirSync(target).flatMap((name) => filesIn(path.join(target, name)));
}

function hash(file) {
  return crypto.createHash("sha256").update(fs.readFileSync(file)).digest("hex");
}

function median(values) {
  const sorted = values.slice().sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)] + sorted[Math.ceil(middle - 0.5)]) / 2;
}

main().catch((error) => {
  console.error(error);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
});
