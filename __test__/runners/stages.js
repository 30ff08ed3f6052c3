"use strict";
/**
 * Runs the stages of `npm test` (`quick`) or of `npm run test:all` (`rest`) one after another and prints a line for each with
 * its time. A stage that fails shows all that it printed; the others still run, and the command fails at the end. It judges
 * nothing itself: a stage is a script of package.json, and is well when that ends with code 0.
 *
 *   node __test__/runners/stages.js quick|rest [STAGE…]
 */
const { spawn } = require("node:child_process");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "../..");

/** The scripts of package.json that each runs, with their arguments, in order: what fails soonest comes first. */
const STAGES = {
  quick: [
    ["lint"],
    ["test:unit"],
    ["test:rust"],
    ["test:specs"],
    ["test:original"],
    ["test:parity"],
  ],
  rest: [
    ["lint:clippy"],
    ["test:slow"],
    ["test:parity", "--live"],
    ["test:differential"],
    ["test:faults", "--select", "half"],
    ["test:cluster-faults", "--select", "eighth"],
    ["test:cluster-chaos"],
    ["test:soak"],
    ["test:calls", "--programs", "200"],
    ["test:matrix", "--select", "quarter"],
  ],
};

/** How often a terminal is told how long the stage has been running. */
const TICK_MS = 1000;

/** A stage that leaves out more says elsewhere why. */
const MOST_SKIPPED = 5;

/** What is worth a glance of the output of one that is well: how many tests it ran, as each tool says it. */
const SUMS = [
  /^(\d+ passed, \d+ failed)/m,
  /^test result: ok\. (\d+ passed; \d+ failed; \d+ ignored)/m,
  /^(\d+ programs of \d+ events)/m,
  /^(\d+ programs\b.*)$/m,
];

/** @param {string[]} args */
async function main([which, ...asked]) {
  const stages = STAGES[which];
  if (stages === undefined) throw new RangeError(`stages.js: say quick or rest, not ${which}`);
  const chosen = stages.filter(([script]) => asked.length === 0 || asked.includes(script));
  const began = Date.now();
  const failed = [];
  for (const [script, ...args] of chosen) {
    const { isWell, output, seconds } = await runStage(script, args);
    const name = [script, ...args].join(" ");
    console.log(
      `${isWell ? "ok  " : "FAIL"}  ${name.padEnd(28)} ${clock(seconds)}  ${sumOf(output)}`,
    );
    const left = skippedIn(output);
    for (const skipped of left.splice(0, MOST_SKIPPED)) console.log(`      skipped: ${skipped}`);
    if (left.length > 0) console.log(`      and ${left.length} more`);
    if (isWell) continue;
    failed.push(name);
    console.log(output.replace(/^/gm, "      "));
  }
  const sum = `${chosen.length - failed.length} of ${chosen.length} stages passed in ${clock((Date.now() - began) / 1000).trim()}`;
  console.log(failed.length === 0 ? sum : `${sum}; failed: ${failed.join(", ")}`);
  process.exitCode = failed.length > 0 || chosen.length === 0 ? 1 : 0;
}

function runStage(script, args) {
  const began = Date.now();
  const since = () => (Date.now() - began) / 1000;
  const ticker = tick(script, since);
  const command = ["run", "--silent", script, ...(args.length > 0 ? ["--", ...args] : [])];
  const child = spawn("npm", command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const chunks = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      ticker.stop();
      const output = Buffer.concat(chunks).toString("utf8");
      resolve({ isWell: code === 0, output, seconds: since() });
    });
  });
}

/** On a terminal, the stage that runs and for how long it has. */
function tick(script, since) {
  if (!process.stdout.isTTY) return { stop() {} };
  const show = () => process.stdout.write(`\r\x1b[K      ${script} … ${clock(since())}`);
  show();
  const timer = setInterval(show, TICK_MS);
  return {
    stop() {
      clearInterval(timer);
      process.stdout.write("\r\x1b[K");
    },
  };
}

/** Tests that were left out, with the reason, as the reporters `spec` and `tap` of `node --test` say it. */
function skippedIn(output) {
  const lines = output.matchAll(/^ *(?:﹣ (.*?) \([\d.]+ms\)|ok \d+ - (.*?)) # (?:SKIP ?)?(.*)$/gm);
  return [...lines].map(([, spec, tap, reason]) => `${spec ?? tap}: ${reason || "no reason"}`);
}

/** `node --test` prints its sums a line each. */
function sumOf(output) {
  const count = (name) => new RegExp(`^(?:#|ℹ) ${name} (\\d+)$`, "m").exec(output)?.[1];
  if (count("pass")) {
    return `${count("pass")} passed, ${count("fail")} failed, ${count("skipped")} skipped`;
  }
  for (const sum of SUMS) {
    const found = sum.exec(output);
    if (found) return found[1];
  }
  return "";
}

function clock(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  return `${String(minutes).padStart(3)}:${String(rest).padStart(2, "0")}`;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
