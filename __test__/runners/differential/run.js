"use strict";
/**
 * Random programs of events give the same queues under 1.0.3 and under this package. 1.0.3 runs some 80 events a second and
 * takes a second to start: so there are few programs, of many events each. A difference is shrunk, and printed with how to
 * see it again.
 *
 *   node __test__/runners/differential/run.js [--programs N] [--seed S] [--path P] [--seconds N]
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const fc = require("fast-check");

const { layOut } = require("../parity/layout");
const { read, withoutErrors } = require("../parity/outcome");
const { run } = require("../parity/trial");
const { events } = require("./events");

const FILES = ["program.js", "values.js"];

/** 1.0.3 loses these responses; this package delivers them. See the table in docs/moving.md. */
const isLost = ({ response }) => response === 0 || response === "" || response === false;

let trials = 0;

async function outcomeOf(project, list) {
  const file = path.join(project, "differential", `events-${++trials}.json`);
  fs.writeFileSync(file, JSON.stringify(list));
  const seen = await run({
    project,
    command: ["differential/program.js", file],
    env: { QUIET: "1" },
  });
  fs.rmSync(file);
  return read(seen);
}

/** How many programs 1.0.3 has not survived: they show nothing. */
let without = 0;

async function compare(projects, list) {
  const [original, ours] = await Promise.all(
    ["original", "ours"].map((side) => outcomeOf(projects[side], list)),
  );
  assert.equal(ours.end, "exit 0", ours.stderr.join("\n"));
  assert.deepEqual(ours.survivors, []);
  if (original.end !== "exit 0") {
    without++;
    return;
  }
  const [theirs] = original.results;
  const { results, ...rest } = withoutErrors(ours.results[0]);
  assert.deepEqual({ results: results.filter((entry) => !isLost(entry)), ...rest }, theirs);
}

const short = (text) => (text.length > 3000 ? `${text.slice(0, 3000)}…` : text);

async function main() {
  const { values } = parseArgs({
    options: {
      programs: { type: "string", default: "15" },
      seed: { type: "string", default: `${Date.now() % 1_000_000}` },
      path: { type: "string" },
      seconds: { type: "string", default: "90" },
    },
  });
  const { projects, remove } = layOut();
  process.on("exit", remove);
  for (const side of ["original", "ours"]) {
    fs.mkdirSync(path.join(projects[side], "differential"));
    for (const file of FILES)
      fs.copyFileSync(path.join(__dirname, file), path.join(projects[side], "differential", file));
  }
  let [programs, count] = [0, 0];
  const property = fc.asyncProperty(events, async (list) => {
    programs++;
    count += list.length;
    await compare(projects, list);
  });
  const seed = Number(values.seed);
  const details = await fc.check(property, {
    seed,
    path: values.path,
    numRuns: Number(values.programs),
    interruptAfterTimeLimit: Number(values.seconds) * 1000,
    markInterruptAsFailure: false,
  });
  console.log(
    `${programs} programs of ${count} events, seed ${seed}; 1.0.3 did not survive ${without}`,
  );
  if (details.failed) {
    console.log(
      `after ${details.numShrinks} steps to a smaller one:\n${short(JSON.stringify(details.counterexample[0]))}`,
    );
    console.log(short(`${/** @type {Error | undefined} */ (details.errorInstance)?.message}`));
    console.log(
      `To see it again: node __test__/runners/differential/run.js --seed ${seed} --path ${details.counterexamplePath}`,
    );
  }
  process.exitCode = details.failed || without * 2 > programs || programs === 0 ? 1 : 0;
}

main();
