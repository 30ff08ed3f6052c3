"use strict";
/**
 * Runs programs of several calls, made at random, and checks that no call runs another's functions.
 *
 *   node __test__/runners/random-calls/run.js [--programs 500] [--seed 1] [--show]
 *
 * `--seed` is the first program's, the next ones' follow; `--show` prints the programs that break a promise.
 */
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { generate, judge } = require("./generate");

const PACKAGE = path.resolve(__dirname, "../../..");

/** Programs at a time: most of each is the start of processes. */
const AT_ONCE = 3;

/** A program takes a second; only a hang reaches this. */
const DEADLINE_MS = 120_000;

function run(file) {
  return new Promise((resolve) => {
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...process.env, QUIET: "1", SONIC_PACKAGE: PACKAGE };
    delete env.NODE_TEST_CONTEXT;
    const child = spawn(process.env.SONIC_TEST_NODE || process.execPath, [file], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: DEADLINE_MS,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("close", (code, signal) => {
      try {
        resolve({ outcomes: JSON.parse(stdout) });
      } catch (_) {
        resolve({ outcomes: {}, problem: `code ${code}, signal ${signal}: ${stdout}${stderr}` });
      }
    });
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      programs: { type: "string", default: "500" },
      seed: { type: "string", default: "1" },
      show: { type: "boolean", default: false },
    },
  });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-calls-"));
  const last = Number(values.seed) + Number(values.programs);
  let seed = Number(values.seed);
  let failed = 0;
  const kinds = { right: 0, safe: 0 };
  const worker = async () => {
    while (seed < last) {
      const program = generate(seed++);
      const file = path.join(folder, `program-${program.seed}.js`);
      fs.writeFileSync(file, program.text);
      const { outcomes, problem } = await run(file);
      for (const promise of Object.values(program.expected)) kinds[promise]++;
      const wrong = problem ? [problem] : judge(program, outcomes);
      if (wrong.length === 0) continue;
      failed++;
      console.log(`program ${program.seed}:\n  ${wrong.join("\n  ")}`);
      if (values.show) console.log(program.text);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  const counts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  console.log(`calls that must be: ${counts.join(", ")}`);
  console.log(`${Number(values.programs) - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
