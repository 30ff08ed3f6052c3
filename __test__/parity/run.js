"use strict";
// Runs every program of programs/ under 1.0.3 and under this package, and compares. `npm run test:parity [-- name…]`
// runs those whose name contains one of the words; `--original` runs 1.0.3's side alone; `--show` prints both outcomes.

const fs = require("fs");
const path = require("path");
const { layOut, hasOurs } = require("./layout");
const { run } = require("./trial");
const { read } = require("./outcome");
const { isDifference, judgeOriginal, judgeOurs } = require("./judge");

const AT_ONCE = 2;
/** 1.0.3 is called stuck after this much silence; it never needs more than a second or two between two lines. */
const STUCK_MS = 5000;
const CASES = [
  "model",
  "exports",
  "queues",
  "values",
  "identity",
  "environment",
  "logs",
  "exit",
  "crashes",
  "losses",
  "misuse",
  "installs",
];

const flags = process.argv.slice(2).filter((arg) => arg.startsWith("--"));
const words = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const originalOnly = flags.includes("--original");

function cases() {
  const all = [];
  for (const file of CASES) all.push(...require(`./cases/${file}`));
  const named = new Set(all.map((entry) => entry.program));
  for (const file of fs.readdirSync(path.join(__dirname, "programs"))) {
    const isProgram =
      file !== "support.js" && fs.statSync(path.join(__dirname, "programs", file)).isFile();
    if (isProgram && !named.has(file)) throw new Error(`programs/${file} is in no file of cases/`);
  }
  return all.filter(
    (entry) =>
      words.length === 0 ||
      words.some((word) => nameOf(entry).includes(word) || entry.section.startsWith(word)),
  );
}

const nameOf = (entry) =>
  [entry.program.replace(/\.(js|mjs|ts)$/, ""), ...(entry.args || [])].join(" ");

function trialOf(entry, project, side) {
  const expected = entry[side] || {};
  const script = entry.runner || [`programs/${entry.program}`];
  return {
    project,
    command: [...(entry.nodeArgs || []), ...script, ...(entry.args || [])],
    env: entry.env,
    stdin: entry.stdin,
    interrupt: entry.interrupt,
    silence: expected.end === "hang" ? STUCK_MS : undefined,
  };
}

async function outcomeOf(entry, projects, side) {
  const layout = entry.layouts?.[side] || side;
  return read(await run(trialOf(entry, projects[layout], side)));
}

/** The test runners among the programs need newer Nodes than the package does. */
const runsHere = (entry) => Number(process.versions.node.split(".")[0]) >= (entry.needsNode || 0);

const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
const summary = (outcome) =>
  `${outcome.end} ${short(outcome.results.map((result) => JSON.stringify(result)).join(" "), 90)}`;

async function tryCase(entry, projects) {
  const original = await outcomeOf(entry, projects, "original");
  if (flags.includes("--show")) console.log(nameOf(entry), JSON.stringify({ original }));
  const ours = originalOnly ? undefined : await outcomeOf(entry, projects, "ours");
  if (ours && flags.includes("--show")) console.log(nameOf(entry), JSON.stringify({ ours }));
  const verdict = {
    original: summary(original),
    ours: ours ? summary(ours) : "not run",
    failure: undefined,
  };
  try {
    judgeOriginal(entry, original);
    if (ours) judgeOurs(entry, original, ours);
  } catch (failure) {
    verdict.failure = failure;
  }
  if (ours && !verdict.failure && !isDifference(entry)) verdict.ours = "the same";
  return verdict;
}

function print(entry, verdict) {
  const mark = verdict.failure ? "FAIL" : "ok  ";
  console.log(
    `${mark} ${nameOf(entry)} [${entry.section}]  1.0.3: ${verdict.original}  ours: ${verdict.ours}`,
  );
  if (verdict.failure) console.log(verdict.failure.message.replace(/^/gm, "       "));
}

async function main() {
  if (!originalOnly && !hasOurs())
    throw new Error("index.js is missing: build the package first (npm run build)");
  const { projects, remove } = layOut();
  const [waiting, tooNew] = [cases().filter(runsHere), cases().filter((entry) => !runsHere(entry))];
  for (const entry of tooNew)
    console.log(`skip ${nameOf(entry)} [${entry.section}]  needs Node ${entry.needsNode}`);
  let passed = 0;
  let failed = 0;
  const lane = async () => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      const verdict = await tryCase(entry, projects);
      print(entry, verdict);
      if (verdict.failure) failed += 1;
      else passed += 1;
    }
  };
  process.on("exit", remove);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

main();
