"use strict";
/**
 * The fault matrix: runs every cell of `cells.js`, `pools/cells.js`, `clients/cells.js` and `flows/cells.js` as a program of its own
 * and holds what it came to against what is expected of it. Prints a table of both, and every cell that came to something else.
 *
 *   node __test__/runners/faults/run.js [--select half|quarter] [--only TEXT] [--at-once N] [--markdown FILE]
 */
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { run } = require("../../support/run");
const { FAULTS, MOMENTS, cells } = require("./cells");
const { CLIENT_FAULTS, CLIENT_MOMENTS, clientCells } = require("./clients/cells");
const { judgeClients } = require("./clients/judge");
const { FLOW_FAULTS, FLOW_MOMENTS, flowCells } = require("./flows/cells");
const { judgeFlow } = require("./flows/judge");
const { judge } = require("./judge");
const { POOL_FAULTS, POOL_MOMENTS, poolCells } = require("./pools/cells");
const { judgePool } = require("./pools/judge");
const { table, write } = require("./table");

/**
 * What a worker may take to come up, where a cell is about one that never does; and what it may take where a machine is so
 * busy that it has not come as far as the fault by then.
 */
const START_TIMEOUTS = ["3000", "20000"];

/** Options of Node that a fault needs. */
const NODE_ARGS = {
  // Small enough to be used up soon; more than the program needs.
  "out of memory": ["--max-old-space-size=48"],
  // Node 14 would only warn.
  reject: ["--unhandled-rejections=throw"],
};

/** Every cell, or some: those of `MapReduce` each fault at each moment with some of its variants, each in its turn. */
const STEPS = { all: 1, half: 2, quarter: 4 };

const FOLDER = path.join("..", "runners", "faults");
const ARM = path.join(__dirname, "pools", "arm.js");

const nameInPool = ({ fault, moment, form, concurrency, kind, retries, serialization, tag, key }) =>
  `${fault} / ${moment} / pool of ${form} / ${kind} / concurrency ${concurrency} / ${serialization} / retries ${retries}` +
  ` / tag ${tag} / key ${key}`;

const optionsInPool = (cell) => ({
  nodeArgs: ["--require", ARM],
  env: { SONIC_FAULTS_CELL: JSON.stringify(cell) },
});

/** What there are cells of: their program, and who judges it. */
const KINDS = {
  MapReduce: {
    faults: Object.keys(FAULTS),
    moments: Object.keys(MOMENTS),
    cells,
    nameOf: ({ fault, moment, serialization, retries }) =>
      `${fault} / ${moment} / ${serialization} / retries ${retries}`,
    program: path.join(FOLDER, "program.js"),
    optionsFor: (cell) => ({ args: [JSON.stringify(cell)], nodeArgs: [], env: {} }),
    judge,
  },
  "Pools that stay": {
    faults: Object.keys(POOL_FAULTS),
    moments: Object.keys(POOL_MOMENTS),
    cells: poolCells,
    nameOf: nameInPool,
    program: path.join(FOLDER, "pools", "program.js"),
    optionsFor: optionsInPool,
    judge: judgePool,
  },
  "Clients of a pool": {
    faults: Object.keys(CLIENT_FAULTS),
    moments: Object.keys(CLIENT_MOMENTS),
    cells: clientCells,
    nameOf: (cell) => `client: ${nameInPool(cell)}`,
    program: path.join(FOLDER, "clients", "program.js"),
    optionsFor: optionsInPool,
    judge: judgeClients,
  },
  Flows: {
    faults: FLOW_FAULTS,
    moments: Object.keys(FLOW_MOMENTS),
    cells: flowCells,
    nameOf: ({ fault, moment, serialization, retries }) =>
      `flow: ${fault} / ${moment} / ${serialization} / retries ${retries}`,
    program: path.join(FOLDER, "flows", "program.js"),
    optionsFor: (cell) => ({ args: [JSON.stringify(cell)], nodeArgs: [], env: {} }),
    judge: judgeFlow,
  },
};

async function main() {
  const { values } = parseArgs({
    options: {
      select: { type: "string", default: "all" },
      only: { type: "string", default: "" },
      "at-once": { type: "string", default: `${os.cpus().length * 2}` },
      markdown: { type: "string" },
    },
  });
  const matrices = Object.entries(KINDS).map(([title, { nameOf, faults, moments, ...kind }]) => {
    const all = kind.cells(STEPS[values.select]);
    return {
      title,
      faults,
      moments,
      cells: all.filter((cell) => nameOf(cell).includes(values.only)),
    };
  });
  const waiting = matrices.flatMap(({ title, cells }) =>
    cells.map((cell) => ({ cell, kind: KINDS[title] })),
  );
  const count = waiting.length;
  let failed = 0;
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { cell, kind } = next;
      cell.failure = await failureOf(cell, kind);
      if (cell.failure === undefined) continue;
      failed++;
      console.log(`FAIL ${kind.nameOf(cell)}\n${cell.failure.message.replace(/^/gm, "     ")}`);
    }
  };
  const began = Date.now();
  await Promise.all(Array.from({ length: Number(values["at-once"]) }, lane));

  for (const matrix of matrices.filter(({ cells }) => cells.length > 0)) console.log(table(matrix));
  const seconds = Math.round((Date.now() - began) / 1000);
  const sum = `${count - failed} passed, ${failed} failed, in ${seconds} s on ${os.cpus().length} processors`;
  console.log(sum);
  if (values.markdown) write(values.markdown, matrices, sum);
  process.exitCode = failed > 0 || count === 0 ? 1 : 0;
}

/** Runs a cell. @returns {Promise<Error | undefined>} */
async function failureOf(cell, kind) {
  const timeouts = cell.startsLate || cell.expected.rejects ? START_TIMEOUTS : [undefined];
  let failure;
  for (const timeout of timeouts) {
    failure = await failureWithin(cell, kind, timeout);
    if (failure === undefined) break;
  }
  return failure;
}

/** That it ends, and leaves no process, is `run`'s to see. */
async function failureWithin(cell, { program, optionsFor, judge }, timeout) {
  const { nodeArgs, env, ...options } = optionsFor(cell);
  try {
    const outcome = await run(program, {
      ...options,
      nodeArgs: [...(NODE_ARGS[cell.fault] ?? []), ...nodeArgs],
      env: timeout === undefined ? env : { ...env, SONIC_DISTRIBUTE_START_TIMEOUT: timeout },
      deadline: 60_000,
    });
    judge(cell, outcome);
    return undefined;
  } catch (error) {
    return error;
  }
}

main();
