"use strict";
/**
 * Runs the behaviour specs against every other supported line of Node and prints one row for each. The
 * specs themselves are run by the Node that runs this file; the programs they start are run by the
 * line's (`SONIC_TEST_NODE`). It judges nothing itself.
 *
 *   node __test__/runners/matrix.js [--lines 14,24 | --node FILE] [--select half|quarter] [SPEC…]
 *
 * `--select` is for the lines between the oldest and the newest: each runs every second or fourth spec, and its neighbours others. What
 * a line of Node changes is mostly there or not there from one line on, so that the oldest and the newest tell.
 * `--node` is for a Node that npm does not have, one that is linked with musl for example.
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { runCommand } = require("../support/command");
const { LINES, nodeOfLine } = require("../support/node-lines");
const { ROOT } = require("../support/workspace");

/** Where they are: those that `npm test` runs, and those that take longer. */
const FOLDERS = ["behaviour", "slow/behaviour"].map((name) => path.join(__dirname, "..", name));

/** `npm run test:specs` runs the same specs on the Node that runs this. */
const OWN_LINE = Number(process.versions.node.split(".")[0]);

/** Of how many specs each line between runs one. */
const SHARES = { __proto__: null, all: 1, half: 2, quarter: 4 };

/** All behaviour specs of one line, on two busy cores. Only a hang reaches it. */
const LINE_DEADLINE_MS = 1_200_000;

async function main() {
  const others = LINES.filter((line) => line !== OWN_LINE);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      lines: { type: "string", default: others.join(",") },
      node: { type: "string" },
      select: { type: "string", default: "all" },
    },
  });
  const lines = values.lines.split(",").map(Number);
  const share = SHARES[values.select];
  if (share === undefined)
    throw new RangeError(`matrix.js: --select is all, half or quarter, not ${values.select}`);
  const specs = positionals.length > 0 ? positionals : behaviourSpecs();
  const specsOf = (line) => shareOf(specs, line, share);
  const nodes =
    values.node === undefined
      ? lines.map((line) => ({ specs: specsOf(line), get: () => nodeOfLine(line) }))
      : [{ specs, get: async () => path.resolve(values.node) }];

  const rows = [];
  for (const { specs, get } of nodes) {
    const row = await runNode(await get(), specs);
    console.log(describe(row));
    rows.push(row);
  }

  console.log(`\n${"Node".padEnd(10)}passed  failed  skipped  seconds`);
  for (const { version, passed, failed, skipped, seconds } of rows) {
    const cells = [passed, failed.length, skipped.length, Math.round(seconds)];
    const widths = [6, 8, 9, 9];
    console.log(
      version.padEnd(10) + cells.map((cell, i) => `${cell}`.padStart(widths[i])).join(""),
    );
  }
  const passed = rows.reduce((sum, row) => sum + row.passed, 0);
  const failed = rows.reduce((sum, row) => sum + row.failed.length, 0);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

/** All of them on the oldest and on the newest line, one of so many on the others. */
function shareOf(specs, line, oneOf) {
  const place = LINES.filter((other) => other !== OWN_LINE).indexOf(line);
  if (line === LINES[0] || line === LINES[LINES.length - 1]) return specs;
  return specs.filter((_, at) => (at + place) % oneOf === 0);
}

function behaviourSpecs() {
  const specsIn = (folder) =>
    fs
      .readdirSync(folder)
      .filter((name) => name.endsWith(".spec.js"))
      .sort()
      .map((name) => path.join(folder, name));
  return FOLDERS.flatMap(specsIn);
}

async function runNode(node, specs) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const args = ["--test", "--test-concurrency=3", "--test-reporter=tap", ...specs];
  const env = { SONIC_TEST_NODE: node };
  const end = await runCommand(process.execPath, args, {
    cwd: ROOT,
    env,
    deadline: LINE_DEADLINE_MS,
  });
  return { version, seconds: end.seconds, ...readTap(end) };
}

/** Counts tests, not suites: a suite fails only because a test in it does. */
function readTap({ code, stdout, output }) {
  const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(stdout)?.[1] ?? 0);
  const skipped = [...stdout.matchAll(/^ *ok \d+ - (.*?) # SKIP ?(.*)$/gm)];
  const failed = [
    ...stdout.matchAll(/^( *)not ok \d+ - (.*)\n\1 {2}---\n([\s\S]*?)\n\1 {2}\.\.\.$/gm),
  ]
    .filter(([, , , detail]) => !/failureType: 'subtestsFailed'/.test(detail))
    .map(([, , name, detail]) => ({ name, detail }));
  // Whatever made the run fail is counted, whether or not it is found in the text.
  const failures = count("fail") + count("cancelled");
  if (code !== 0 && failed.length === 0) failed.push({ name: "the run itself", detail: output });
  while (failed.length < failures) failed.push({ name: "(see above)", detail: "" });
  return {
    passed: count("pass"),
    failed,
    skipped: skipped.map(([, name, reason]) => `${name}: ${reason || "no reason given"}`),
  };
}

function describe({ version, passed, failed, skipped }) {
  const head = `${version}: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
  const failures = failed.map(({ name, detail }) => `  ✖ ${name}\n${detail}`);
  return [head, ...failures, ...skipped.map((text) => `  - ${text}`)].join("\n");
}

main().catch((error) => {
  console.error(error);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
});
