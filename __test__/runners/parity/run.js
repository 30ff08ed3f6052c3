"use strict";
// Runs every program of programs/ under this package, and compares with what 1.0.3 did: `recorded.json` has its outcomes.
// `npm run test:parity [-- name…]` runs those whose name contains one of the words. `--live` runs 1.0.3 too, and checks that
// the recording still is what it does; `--record` runs 1.0.3 alone and writes the recording; `--show` prints the outcomes.

const fs = require("fs");
const path = require("path");
const { layOut, hasOurs } = require("./layout");
const { run } = require("./trial");
const { read } = require("./outcome");
const { isDifference, judgeOriginal, judgeOurs, judgeRecording } = require("./judge");

const RECORDING = path.join(__dirname, "recorded.json");

const AT_ONCE = 2;
/** 1.0.3 may lose a race of its own when it exits: so often may it do something else than was recorded. */
const ATTEMPTS = 3;
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
const isLive = flags.includes("--live");
const isRecording = flags.includes("--record");

/** Every case, and those that were asked for. */
function cases() {
  const all = [];
  for (const file of CASES) all.push(...require(`./cases/${file}`));
  const named = new Set(all.map((entry) => entry.program));
  for (const file of fs.readdirSync(path.join(__dirname, "programs"))) {
    const isProgram =
      file !== "support.js" && fs.statSync(path.join(__dirname, "programs", file)).isFile();
    if (isProgram && !named.has(file)) throw new Error(`programs/${file} is in no file of cases/`);
  }
  const isAskedFor = (entry) =>
    words.length === 0 ||
    words.some((word) => nameOf(entry).includes(word) || entry.section.startsWith(word));
  return { all, chosen: all.filter(isAskedFor) };
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

/** What each side did; `undefined` if it was not run. */
async function outcomesOf(entry, projects, recorded) {
  const runsOriginal = isLive || isRecording;
  const live = runsOriginal ? await originalOf(entry, projects, recorded) : undefined;
  const ours = isRecording ? undefined : await outcomeOf(entry, projects, "ours");
  return { live, original: live ?? recorded, ours };
}

/** What 1.0.3 does now, which is what was recorded of it, if it can be got to do that. */
async function originalOf(entry, projects, recorded) {
  let outcome;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    outcome = await outcomeOf(entry, projects, "original");
    if (isRecording || isAsRecorded(entry, recorded, outcome)) break;
  }
  return outcome;
}

function isAsRecorded(entry, recorded, live) {
  try {
    judgeRecording(entry, recorded, live);
    return true;
  } catch {
    return false;
  }
}

async function tryCase(entry, projects, recording) {
  const recorded = recording[nameOf(entry)];
  if (!recorded && !isRecording)
    return { original: "not recorded", failure: new Error("run it with --record first") };
  const { live, original, ours } = await outcomesOf(entry, projects, recorded);
  if (flags.includes("--show")) console.log(nameOf(entry), JSON.stringify({ original, ours }));
  const verdict = { original: summary(original), ours: ours ? summary(ours) : "not run" };
  try {
    judgeOriginal(entry, original);
    if (isRecording) recording[nameOf(entry)] = original;
    else {
      if (live) judgeRecording(entry, recorded, live);
      judgeOurs(entry, original, ours);
      if (!isDifference(entry)) verdict.ours = "the same";
    }
  } catch (failure) {
    verdict.failure = failure;
  }
  return verdict;
}

/** The outcomes of 1.0.3 by the name of the case. */
function readRecording() {
  return fs.existsSync(RECORDING) ? JSON.parse(fs.readFileSync(RECORDING, "utf8")) : {};
}

/** A line for each case that there still is, so that a change shows as one. */
function writeRecording(recording, names) {
  const lines = names
    .filter((name) => name in recording)
    .map((name) => `${JSON.stringify(name)}: ${JSON.stringify(recording[name])}`);
  fs.writeFileSync(RECORDING, `{\n${lines.join(",\n")}\n}\n`);
}

function print(entry, verdict) {
  const mark = verdict.failure ? "FAIL" : "ok  ";
  console.log(
    `${mark} ${nameOf(entry)} [${entry.section}]  1.0.3: ${verdict.original}  ours: ${verdict.ours}`,
  );
  if (verdict.failure) console.log(verdict.failure.message.replace(/^/gm, "       "));
}

async function main() {
  if (!isRecording && !hasOurs())
    throw new Error("index.js is missing: build the package first (npm run build)");
  const { all, chosen } = cases();
  const recording = readRecording();
  const { projects, remove } = layOut();
  const [waiting, tooNew] = [chosen.filter(runsHere), chosen.filter((entry) => !runsHere(entry))];
  for (const entry of tooNew)
    console.log(`skip ${nameOf(entry)} [${entry.section}]  needs Node ${entry.needsNode}`);
  let passed = 0;
  let failed = 0;
  const lane = async () => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      const verdict = await tryCase(entry, projects, recording);
      print(entry, verdict);
      if (verdict.failure) failed += 1;
      else passed += 1;
    }
  };
  process.on("exit", remove);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  if (isRecording) writeRecording(recording, all.map(nameOf));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

main();
