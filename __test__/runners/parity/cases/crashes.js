"use strict";
// COMPAT, "Where 1.0.3 hangs, crashes or loses data": workers that die, throw, or never get to the call.
const assert = require("assert");

const section = "Where 1.0.3 hangs or crashes";
const HANDED_OUT = /MASTER: Workers queue populated/;

/** One worker's event ends its process: 1.0.3 waits for ever; ours fails that event and goes on in a replacement of the same id. */
function crash(kind, cluster, named, extra) {
  return {
    program: "crash-in-an-event.js",
    section,
    args: [kind],
    original: { end: "hang", said: [HANDED_OUT, new RegExp(`worker 1 ended: ${cluster}`)] },
    ours: {
      end: "exit 0",
      log: ({ cluster: seen }) =>
        assert.deepStrictEqual(seen, [`worker 1 ended: ${cluster}`, "worker 1 ended: 0 null"]),
      results([outcome]) {
        const { why, ...rest } = outcome;
        assert.deepStrictEqual(rest, {
          responses: ["before in 1", "after in 1"],
          ran: ["before", kind, "after"],
        });
        assert.deepStrictEqual(
          why.map(({ id, data }) => [id, data]),
          [[1, kind]],
        );
        assert.match(`${why[0].name}: ${why[0].message}`, named);
      },
    },
    ...extra,
  };
}

function unserialisable(kind) {
  return {
    program: "response-that-cannot-be-serialised.js",
    section,
    args: [kind],
    original: { end: "hang", said: [HANDED_OUT, /worker 1 ended: 1/, /TypeError/] },
    ours: {
      end: "exit 0",
      results: [
        {
          answered: ["before", "after"],
          sameWorker: true,
          why: [[1, kind, "TypeError", "string"]],
        },
      ],
    },
  };
}

function unprintable(kind) {
  return {
    program: "thrown-values-that-cannot-be-printed.js",
    section,
    args: [kind],
    original: { end: "hang", said: [HANDED_OUT, /worker 1 ended: 1/] },
    ours: { end: "exit 0", results: [{ sameWorker: true, why: [[1, kind, "string"]] }] },
  };
}

function neverStarts(how, originalSaid, named) {
  return {
    program: "worker-that-never-gets-to-the-call.js",
    section,
    args: [how],
    // The others end by themselves, however long that takes on a busy machine.
    env: how === "waits for ever" ? { SONIC_DISTRIBUTE_START_TIMEOUT: "1500" } : {},
    original: {
      end: "hang",
      said: [/Worker queues initializing/, originalSaid],
      unsaid: HANDED_OUT,
    },
    ours: {
      end: "exit 0",
      log({ cluster: seen }) {
        const count = (what) => seen.filter((line) => line.includes(what)).length;
        assert.ok(count("online") > 0);
        assert.strictEqual(
          count("ended"),
          count("online"),
          `each worker's end is an event: ${seen}`,
        );
      },
      results([outcome]) {
        assert.strictEqual(outcome.isError, true, `it ${JSON.stringify(outcome)}`);
        assert.match(outcome.message, /worker/i);
        assert.match(outcome.message, named);
      },
    },
  };
}

module.exports = [
  crash("exits 0", "0 null", /\b0\b/),
  crash("exits 7", "7 null", /\b7\b/),
  crash("killed", "null SIGKILL", /SIGKILL/),
  crash("aborts", "null SIGABRT", /SIGABRT/),
  crash("uncaught exception", "1 null", /\b1\b|nowhere/),
  crash("unhandled rejection", "1 null", /\b1\b|nobody looks/),
  // Node reports the heap's limit by aborting. The limit reaches the workers of both through the environment.
  crash("out of memory", "null SIGABRT", /SIGABRT|memory/, {
    env: { NODE_OPTIONS: "--max-old-space-size=120" },
  }),
  {
    program: "crash-costs-only-its-own-event.js",
    section,
    env: { QUIET: "1" },
    original: { end: "hang", said: /worker \d ended by SIGKILL/ },
    ours: {
      end: "exit 0",
      said: /worker [12] ended by SIGKILL/,
      results: [{ ids: [1, 2], answers: 397, failures: [37, 200, 333], ran: 400, distinct: 400 }],
    },
  },
  {
    program: "crash-while-the-master-is-busy.js",
    section,
    original: { end: "hang", said: [HANDED_OUT, /cluster: exit 7/] },
    ours: {
      end: "exit 0",
      results([during, outcome, events]) {
        assert.deepStrictEqual(during, { live: ["1"], connected: true });
        assert.deepStrictEqual(outcome, [["after"], ["fatal"]]);
        const life = (name, code) => [
          ["fork", name],
          ["online", name],
          ["disconnect", name],
          ["exit", name, code],
        ];
        assert.deepStrictEqual(events, [...life("process 1", 7), ...life("process 2", 0)]);
      },
    },
  },
  {
    program: "worker-killed-by-the-master.js",
    section,
    original: { end: "hang", said: [HANDED_OUT, /worker 1 ended by SIGKILL/] },
    ours: {
      end: "exit 0",
      results: [[[["after", 1]], [["killed", 1]]]],
      said: /worker 1 ended by SIGKILL/,
    },
  },
  { program: "crashes-the-program-handles.js", section },
  unserialisable("bigint"),
  unserialisable("cycle"),
  unserialisable("throwing"),
  unprintable("no prototype"),
  unprintable("symbol"),
  unprintable("throwing getters"),
  neverStarts("throws", /worker 1 ended: 1/, /at start|exit(ed)?\b.*\b1\b|code 1/),
  neverStarts("exits", /worker 1 ended: 9/, /\b9\b/),
  neverStarts("goes around it", /has nothing to do/, /without/),
  neverStarts("waits for ever", /worker 1 online/, /\d/),
  {
    program: "masterfn-throws.js",
    section,
    original: { end: "hang", results: [{ caught: "the master's" }] },
    ours: { end: "exit 0", results: [{ caught: "the master's" }] },
  },
  { program: "reducefn-throws.js", section, log: "unordered" }, // 1.0.3 has released its workers by then
];
