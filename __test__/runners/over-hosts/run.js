"use strict";
/**
 * Runs the behaviour specs a second time, over a cluster: the process of each program has no workers, and two hosts have them. What is
 * left out, and why, is in `left-out.js`.
 *
 *   node __test__/runners/over-hosts/run.js [--only TEXT] [--at-once N]
 */
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { TestBroker, until } = require("../../support/broker");
const { install } = require("../../support/debian");
const { ELSEWHERE, SPECS } = require("./left-out");

const BEHAVIOUR = path.join(__dirname, "..", "..", "behaviour");

/** Each program has one to itself. */
const DATABASES = 16384;

/** The specs to run. @param {string} only */
function chosen(only) {
  const all = fs.readdirSync(BEHAVIOUR).filter((name) => name.endsWith(".spec.js"));
  const known = [...Object.keys(SPECS), ...Object.keys(ELSEWHERE)];
  const unknown = all.filter((name) => !known.includes(name));
  const gone = known.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`left-out.js says nothing of ${unknown.join(", ")}`);
  if (gone.length > 0) throw new Error(`left-out.js names ${gone.join(", ")}, not there any more`);
  return Object.keys(SPECS).filter((name) => name.includes(only));
}

/** @param {string} info of all databases */
const staysIn = (info) =>
  [...info.matchAll(/keys=(\d+),expires=(\d+)/g)].some(([, keys, expires]) => keys !== expires);

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      "at-once": { type: "string", default: "3" },
    },
  });
  const names = chosen(values.only);
  install("redis-server");
  const broker = await TestBroker.start(["--databases", String(DATABASES)]);
  try {
    const code = await runSpecs(names, broker.url, values["at-once"]);
    await until(
      async () => !staysIn(await broker.client.info("keyspace")),
      "keys are left at the broker that do not expire",
    );
    process.exitCode = names.length === 0 ? 1 : code;
  } finally {
    await broker.end();
  }
}

/** @param {string[]} names @param {string} url of the broker @param {string} atOnce @returns {Promise<number>} the exit code */
async function runSpecs(names, url, atOnce) {
  const files = names.map((name) => path.join(BEHAVIOUR, name));
  const args = ["--test", `--test-concurrency=${atOnce}`, "--test-reporter=spec", ...files];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    stdio: "inherit",
    env: {
      ...env,
      // For the first line of `node.js`.
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${env.PATH}`,
      NODE_OPTIONS: `--require "${path.join(__dirname, "skip.js")}"`,
      SONIC_TEST_NODE: path.join(__dirname, "node.js"),
      OVER_HOSTS_BROKER: url,
      OVER_HOSTS_DATABASES: String(DATABASES),
    },
  });
  const [code] = await once(child, "close");
  return code;
}

main();
