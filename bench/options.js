"use strict";
// The command line. An unknown name is an error that lists the known ones.

const path = require("node:path");
const { parseArgs } = require("node:util");
const { SELECTIONS } = require("./cases");
const { CONTESTANTS, OTHERS } = require("./contestants");

const USAGE = `npm run bench -- [OPTION…]

  --only NAME,…      only these workloads: ${SELECTIONS.join(", ")}
  --against NAME,…   compare only with: ${OTHERS.join(", ")}
  --workers N,…      numbers of workers
  --events N,…       numbers of events
  --runs N           runs per contestant (5; 1 with --quick)
  --quick            smaller and fewer cases, within four minutes
  --out FOLDER       the folder for results.json and results.svg (bench)
  --help             print this text`;

const RUNS = 5;
const QUICK_RUNS = 1;

/** A mistake on the command line. Only its message is printed. */
class UsageError extends Error {}

function readOptions(args) {
  const values = parse(args);
  if (values.help) return { help: USAGE };
  const quick = values.quick ?? false;
  const against = names("--against", values.against, OTHERS) ?? OTHERS;
  return {
    quick,
    only: names("--only", values.only, SELECTIONS) ?? SELECTIONS,
    contestants: Object.keys(CONTESTANTS).filter(
      (name) => !OTHERS.includes(name) || against.includes(name),
    ),
    workers: numbers("--workers", values.workers),
    events: numbers("--events", values.events),
    runs: numbers("--runs", values.runs)?.[0] ?? (quick ? QUICK_RUNS : RUNS),
    out: path.resolve(values.out ?? __dirname),
  };
}

function parse(args) {
  const options = {
    only: { type: "string" },
    against: { type: "string" },
    workers: { type: "string" },
    events: { type: "string" },
    runs: { type: "string" },
    out: { type: "string" },
    quick: { type: "boolean" },
    help: { type: "boolean" },
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(`${error.message}\n\n${USAGE}`);
  }
}

function names(option, value, known) {
  if (value === undefined) return undefined;
  const given = value.split(",");
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length === 0) return given;
  throw new UsageError(`${option}: unknown ${unknown.join(", ")}; known are ${known.join(", ")}`);
}

function numbers(option, value) {
  if (value === undefined) return undefined;
  const given = value.split(",").map(Number);
  if (given.every((number) => Number.isSafeInteger(number) && number > 0)) return given;
  throw new UsageError(`${option} must be integers of at least 1, got ${value}`);
}

module.exports = { UsageError, readOptions };
