"use strict";
/**
 * Promise: The checkers of the fault matrix find each forbidden outcome in what the processes of a pool, its clients and a flow recorded,
 * and each two values of its dimensions meet in a cell. The matrix itself is `npm run test:faults`.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { CLIENT_FAULTS, CLIENT_MOMENTS, clientCells } = require("../runners/faults/clients/cells");
const { problemsOfClients } = require("../runners/faults/clients/check");
const { flowCells } = require("../runners/faults/flows/cells");
const { judgeFlow } = require("../runners/faults/flows/judge");
const { EVENTS, FATAL, groupsOf, range } = require("../runners/faults/flows/work");
const { poolCells } = require("../runners/faults/pools/cells");
const { problemsOf } = require("../runners/faults/pools/check");
const { DIMENSIONS } = require("../runners/faults/pools/variants");

const cells = poolCells();
const withClients = clientCells();

const cellOf = (fault, moment, more) => {
  const cell = cells.find((other) => other.fault === fault && other.moment === moment);
  return { ...cell, retries: "off", tag: "none", key: "k", concurrency: 2, ...more };
};

const crashOf = (name) => ({
  code: "ERR_SONIC_WORKER_EXIT",
  signal: "SIGKILL",
  pid: 7,
  task: JSON.stringify({ work: "work", name, attempts: 1, worker: 1, pid: 7 }),
});

/** Two workers: in the first an event of a key kills both that run there; one that waits for the key runs in its replacement.
 * @returns {{ cell: any, lines: string[], report: any }} */
const good = () => ({
  cell: cellOf("SIGKILL", "run", {}),
  lines: [
    "P 7 1",
    "P 8 2",
    "K 7 1",
    "K 8 2",
    "B 7 1 fillcall:0 1",
    "B 8 2 fillcall:1 1",
    "B 7 1 victims:0 1",
    "S 7 1",
    "E 8 2 fillcall:1 1",
    "P 9 1",
    "K 9 1",
    "B 9 1 victims:1 1",
    "E 9 1 victims:1 1",
    "B 9 1 meet:0 1",
    "B 9 1 meet:1 1",
    "B 8 2 meet:2 1",
    "B 8 2 meet:3 1",
    "E 9 1 meet:0 1",
    "E 9 1 meet:1 1",
    "E 8 2 meet:2 1",
    "E 8 2 meet:3 1",
  ],
  report: {
    kept: { value: { results: [7, 8] } },
    tagsOf: {},
    looks: [
      { pid: 9, isKept: true },
      { pid: 8, isKept: true },
    ],
    warnings: [],
    pids: [9, 8],
    descriptors: { before: ["a socket"], after: ["a socket"] },
    statistics: {
      counts: { fillcall: 1, victims: 1, meet: 4 },
      handedOver: 8 + 6,
      answered: 6 + 6,
      failed: 2,
      unfinished: 0,
      crashes: 1,
    },
    accepted: [
      ...[0, 1].map((n) => ({ name: `fillcall:${n}`, role: "filler", kind: "call", tags: [] })),
      { name: "victims:0", role: "victim", kind: "map", tags: [], key: "k" },
      { name: "victims:1", role: "follower", tags: [], key: "k" },
      ...[0, 1, 2, 3].map((n) => ({ name: `meet:${n}`, role: "meeting", tags: [] })),
    ],
    ends: [
      { name: "fillcall:0", error: crashOf("fillcall:0") },
      { name: "fillcall:1", response: "fillcall:1" },
      { name: "victims:0", error: crashOf("victims:0") },
      ...["victims:1", "meet:0", "meet:1", "meet:2", "meet:3"].map((name) => ({
        name,
        response: name,
      })),
    ],
  },
});

/** The same where both that shared the crash are tried again, alone. */
function retried() {
  const seen = good();
  seen.cell.retries = "on";
  seen.lines.splice(
    11,
    0,
    "B 9 1 victims:0 2",
    "E 9 1 victims:0 2",
    "B 8 2 fillcall:0 2",
    "E 8 2 fillcall:0 2",
  );
  const { ends, statistics } = seen.report;
  ends[0] = { name: "fillcall:0", response: "fillcall:0" };
  ends[2] = { name: "victims:0", response: { n: "victims:0", rest: "the rest" } };
  statistics.counts = { fillcall: 2, victims: 2, meet: 4 };
  Object.assign(statistics, { answered: 14, failed: 0 });
  return seen;
}

/** @param {ReturnType<typeof good>} seen */
const problems = ({ cell, lines, report }) => problemsOf(cell, lines, report);

const endOf = ({ report }, name) => report.ends.find((end) => end.name === name);

const answerOf = () => ({ error: undefined, response: "victims:1" });

const move = ({ lines }, line, to) => lines.splice(to, 0, ...lines.splice(lines.indexOf(line), 1));

/** What may not be, by what the checker says of it. @type {[RegExp, (seen: ReturnType<typeof good>) => unknown][]} */
const WRONG = [
  [/victims:1 ended 0 times/, ({ report }) => report.ends.splice(3, 1)],
  [/fillcall:1 ended 2 times/, ({ report }) => report.ends.push(report.ends[1])],
  [/ghost ended, and was not there/, ({ report }) => report.ends.push({ name: "ghost" })],
  [/fillcall:1 failed: ERR/, (seen) => (endOf(seen, "fillcall:1").error = crashOf("fillcall:1"))],
  [/fillcall:0 was answered, and was to fail/, (seen) => delete endOf(seen, "fillcall:0").error],
  [/fillcall:1 has the answer "x"/, (seen) => (endOf(seen, "fillcall:1").response = "x")],
  [/victims:0 failed with the pid 8/, (seen) => (endOf(seen, "victims:0").error.pid = 8)],
  [/the signal SIGSEGV/, (seen) => (endOf(seen, "victims:0").error.signal = "SIGSEGV")],
  [
    /victims:0 failed with the task .*"pid":8/,
    (seen) => (endOf(seen, "victims:0").error.task = '{"pid":8}'),
  ],
  [/the code OTHER/, (seen) => (endOf(seen, "fillcall:0").error.code = "OTHER")],
  [
    /victims:1 ran 2 times, and was to 1/,
    ({ lines }) => lines.push("B 9 1 victims:1 2", "E 9 1 victims:1 2"),
  ],
  [/victims:1 ran as attempts 2/, ({ lines }) => (lines[11] = "B 9 1 victims:1 2")],
  [/victims:1 ran 0 times/, ({ lines }) => lines.splice(11, 2)],
  [/the fault cost 1 events, and 2 ran/, ({ lines }) => (lines[4] = "B 8 2 fillcall:0 1")],
  [/the fault struck 0 times/, ({ lines }) => lines.splice(7, 1)],
  [/victims:1 ran in 9 before what is kept/, (seen) => move(seen, "K 9 1", 12)],
  [
    /victims:1 began while victims:0 of the key k ran/,
    ({ lines }) => lines.splice(11, 2, "B 7 1 victims:1 1", "E 7 1 victims:1 1"),
  ],
  [
    /the key k moved from worker 1 to 2/,
    ({ lines }) => lines.splice(11, 2, "B 8 2 victims:1 1", "E 8 2 victims:1 1"),
  ],
  [/victims:0 began after victims:1 of the key k/, (seen) => move(seen, "B 9 1 victims:1 1", 4)],
  [/counts: .*"meet",5.*"meet",4/, ({ report }) => (report.statistics.counts.meet = 5)],
  [/events of the statistics/, ({ report }) => (report.statistics.unfinished = 1)],
  [/workers that died: 2/, ({ report }) => (report.statistics.crashes = 2)],
  [/workers at work: 1/, ({ report }) => report.pids.pop()],
  [/events at once: 3/, ({ report }) => report.accepted.pop()],
  [/a replacement: false/, ({ lines }) => lines.splice(9, 1)],
  [/workers with what is kept/, ({ report }) => (report.looks[0].isKept = false)],
  [/warnings: \["SONIC/, ({ report }) => report.warnings.push("SONIC_WORKER_GIVEN_UP")],
  [/descriptors: \[\]/, ({ report }) => (report.descriptors.after = [])],
  [/a call of a closed pool/, ({ cell }) => (cell.moment = "close")],
  [/a call for a tag that is gone/, ({ cell }) => Object.assign(cell, { givenUp: true, tag: "a" })],
  [
    /createPool was to reject with undefined/,
    (seen) => Object.assign(seen.report, { rejected: { code: "ERR_SONIC_WORKER_START" } }),
  ],
  [
    /createPool was to reject with ERR_SONIC_WORKER_START/,
    (seen) => (seen.cell.expected = { ...seen.cell.expected, rejects: "ERR_SONIC_WORKER_START" }),
  ],
  [
    /fillcall:1 with the tags \[b\] ran in worker 2 with \[a\]/,
    ({ report }) => {
      report.tagsOf = { 2: ["a"] };
      report.accepted[1].tags = ["b"];
    },
  ],
  [
    /fillcall:1 with the tags \[\] ran in worker 2 with \[b\]/,
    ({ report }) => (report.tagsOf = { 2: ["b"] }),
  ],
];

describe("the checker of a pool in the fault matrix", () => {
  it("finds nothing wrong with a pool in which all went as promised", () => {
    assert.deepEqual(problems(good()), []);
    assert.deepEqual(problems(retried()), []);
  });

  for (const [words, breaks] of WRONG) {
    it(`finds what is wrong: ${words.source}`, () => {
      const seen = good();
      breaks(seen);
      assert.match(problems(seen).join("\n"), words);
    });
  }

  it("finds events that share a crash and are not tried again alone, or too often", () => {
    const beside = retried();
    beside.lines.splice(12, 0, "B 9 1 fillcall:0 2", "E 9 1 fillcall:0 2");
    beside.lines.splice(15, 2);
    assert.deepEqual(
      problems(beside),
      [
        "fillcall:0 was tried again beside victims:0",
        "victims:0 was tried again beside fillcall:0",
      ].reverse(),
    );
    const often = retried();
    often.lines.push("B 9 1 victims:0 3", "E 9 1 victims:0 3");
    assert.match(problems(often).join("\n"), /victims:0 ran 3 times, and was to 2/);
  });

  it("finds an event that was emitted and is lost, or that one emitted which failed", () => {
    const lost = good();
    lost.report.accepted[1].emits = true;
    assert.match(problems(lost).join("\n"), /fillcall:1-child ended 0 times/);
    const failed = good();
    failed.report.accepted[0].emits = true;
    failed.report.ends.push({ name: "fillcall:0-child", response: "fillcall:0-child" });
    assert.match(problems(failed).join("\n"), /fillcall:0-child ended, and was not there/);
  });

  it("finds an event that is refused though a worker would take it", () => {
    const refused = good();
    endOf(refused, "victims:1").error = { code: "ERR_SONIC_NO_WORKER" };
    assert.match(problems(refused).join("\n"), /victims:1 failed: ERR_SONIC_NO_WORKER/);
  });

  it("finds what may not be where a pool is closed by a signal", () => {
    const cut = () => {
      const seen = good();
      seen.cell = cellOf("SIGKILL", "close by signal", {});
      seen.lines.splice(9);
      seen.report.accepted.splice(4);
      seen.report.ends.splice(4);
      seen.report.ends[3] = { name: "victims:1", error: { code: "ENOUGH" } };
      seen.report.pids = [];
      seen.report.refused = { error: { code: "ERR_SONIC_POOL_CLOSED" } };
      return seen;
    };
    assert.deepEqual(problems(cut()), []);
    /** @type {typeof WRONG} */
    const wrong = [
      [/victims:1 ended 0 times/, ({ report }) => report.ends.pop()],
      [/fillcall:1 ended 2 times/, ({ report }) => report.ends.push(report.ends[1])],
      [/fillcall:1 has a wrong answer/, ({ lines }) => lines.pop()],
      [/fillcall:1 has a wrong answer/, (seen) => (endOf(seen, "fillcall:1").response = 1)],
      [/victims:1 failed: ERR/, (seen) => (endOf(seen, "victims:1").error = crashOf("victims:1"))],
      [/victims:0 was answered after/, (seen) => delete endOf(seen, "victims:0").error],
      [/victims:0 failed: OTHER/, (seen) => (endOf(seen, "victims:0").error.code = "OTHER")],
      [/fillcall:1 ran 2 times/, ({ lines }) => lines.push("B 8 2 fillcall:1 1")],
      [/events that were cut off/, (seen) => Object.assign(endOf(seen, "victims:1"), answerOf())],
      [/workers: \[8\]/, ({ report }) => report.pids.push(8)],
      [/descriptors/, ({ report }) => report.descriptors.after.push("more")],
      [/a call of a closed pool/, ({ report }) => (report.refused.error.code = "OTHER")],
    ];
    for (const [words, breaks] of wrong) {
      const seen = cut();
      breaks(seen);
      assert.match(problems(seen).join("\n"), words);
    }
  });
});

/** A client with two events is killed while one of them runs; its worker and the key go to others.
 * @returns {{ cell: any, lines: string[], reports: any }} */
const struck = () => ({
  cell: {
    ...withClients.find((cell) => cell.fault === "SIGKILL" && cell.moment === "running"),
    ...{ tag: "none", key: "k", concurrency: 1, running: 1 },
  },
  lines: [
    "P 7 1",
    "P 8 2",
    "B 7 1 fillcall:0 1",
    "B 8 2 fillmap:0 1",
    "E 7 1 fillcall:0 1",
    "B 7 1 victim:0 1",
    "G",
    "E 8 2 fillmap:0 1",
    "E 7 1 victim:0 1",
    "B 7 1 otherkeyed:0 1",
    "E 7 1 otherkeyed:0 1",
    "B 7 1 meet:0 1",
    "B 8 2 meet:1 1",
    "E 7 1 meet:0 1",
    "E 8 2 meet:1 1",
  ],
  reports: {
    own: {
      exit: { code: null, signal: "SIGKILL" },
      exitOfOther: { code: 0, signal: null },
      first: [7, 8],
      pids: [7, 8],
      looks: 2,
      warnings: [],
      files: [],
      tagsOf: {},
      descriptors: { before: ["a socket"], after: ["a socket"] },
      statistics: {
        counts: { fillcall: 1, fillmap: 1, otherkeyed: 1, meet: 2 },
        unfinished: 0,
        crashes: 0,
      },
      accepted: [
        { name: "fillcall:0", role: "filler", tags: [] },
        { name: "fillmap:0", role: "filler", tags: [] },
        { name: "meet:0", role: "meeting", tags: [] },
        { name: "meet:1", role: "meeting", tags: [] },
      ],
      ends: ["fillcall:0", "fillmap:0", "meet:0", "meet:1"].map((name) => ({
        name,
        response: name,
      })),
    },
    other: {
      code: 0,
      isClosed: true,
      accepted: [{ name: "otherkeyed:0", role: "follower", tags: [], key: "k" }],
      ends: [{ name: "otherkeyed:0", response: "otherkeyed:0" }],
    },
    victim: undefined,
  },
});

/** The same client, which lost its connection alone. */
function told() {
  const seen = struck();
  Object.assign(seen.cell, { survives: true, expected: { code: 0 } });
  seen.reports.own.exit = { code: 0, signal: null };
  const error = { code: "ERR_SONIC_POOL_GONE" };
  seen.reports.victim = {
    code: 0,
    later: error.code,
    accepted: ["victim:0", "victim:1"].map((name) => ({
      name,
      role: "filler",
      tags: [],
      key: "k",
    })),
    ends: ["victim:0", "victim:1"].map((name) => ({ name, error: { ...error } })),
  };
  return seen;
}

const problemsWith = ({ cell, lines, reports }) => problemsOfClients(cell, lines, reports);

/** What may not be where a client is struck. @type {[RegExp, (seen: ReturnType<typeof struck>) => unknown][]} */
const WRONG_WITH_CLIENTS = [
  [/fillmap:0 ended 0 times/, ({ reports }) => reports.own.ends.splice(1, 1)],
  [/otherkeyed:0 ended 2 times/, ({ reports }) => reports.other.ends.push(reports.other.ends[0])],
  [/ghost ended, and was not there/, ({ reports }) => reports.own.ends.push({ name: "ghost" })],
  [/otherkeyed:0 came to "x"/, ({ reports }) => (reports.other.ends[0].response = "x")],
  [/otherkeyed:0 came to .*OTHER/, ({ reports }) => (reports.other.ends[0].error = "OTHER")],
  [/fillmap:0 ran 2 times/, ({ lines }) => lines.push("B 8 2 fillmap:0 2", "E 8 2 fillmap:0 2")],
  [/victim:1 began after its/, ({ lines }) => lines.push("B 8 2 victim:1 1", "E 8 2 victim:1 1")],
  [/kept:0 began after its client/, ({ lines }) => lines.push("B 8 2 kept:0 1", "E 8 2 kept:0 1")],
  [/victim:0 did not end/, ({ lines }) => lines.splice(8, 1)],
  [/victim:0 in 7 ran twice/, ({ lines }) => lines.push("B 7 1 victim:0 1", "E 7 1 victim:0 1")],
  [/0 events of the client ran/, ({ lines }) => lines.splice(6, 0, ...lines.splice(8, 1))],
  [
    /otherkeyed:0 began while victim:0 of the key k ran/,
    ({ lines, reports }) => {
      reports.victim = { accepted: [{ name: "victim:0", role: "filler", tags: [], key: "k" }] };
      lines.splice(10, 0, ...lines.splice(8, 1));
    },
  ],
  [
    /otherkeyed:0 with the tags \[\] ran in worker 1 with \[b\]/,
    ({ reports }) => (reports.own.tagsOf = { 1: ["b"] }),
  ],
  [/the exit signal: false/, ({ reports }) => (reports.own.exit.signal = "SIGTERM")],
  [/the exit code: 1/, ({ reports }) => (reports.own.exit.code = 1)],
  [/the other client's exit/, ({ reports }) => (reports.other.later = "OTHER")],
  [/the workers: \[7,9\]/, ({ reports }) => (reports.own.pids = [7, 9])],
  [/the workers that came: 3/, ({ lines }) => lines.push("P 9 1")],
  [/the workers that died: 1/, ({ reports }) => (reports.own.statistics.crashes = 1)],
  [/unfinished events: 1/, ({ reports }) => (reports.own.statistics.unfinished = 1)],
  [/counts: .*"meet",3/, ({ reports }) => (reports.own.statistics.counts.meet = 3)],
  [/events at once: 1/, ({ reports }) => reports.own.accepted.pop()],
  [/warnings: \["SONIC/, ({ reports }) => reports.own.warnings.push("SONIC_WORKER_GIVEN_UP")],
  [/files of the socket/, ({ reports }) => reports.own.files.push("socket")],
  [/descriptors: \[\]/, ({ reports }) => (reports.own.descriptors.after = [])],
];

/** What may not be where a client lives on without its pool. @type {typeof WRONG_WITH_CLIENTS} */
const WRONG_TOLD = [
  [/the victim has not exited by itself/, ({ reports }) => (reports.victim = undefined)],
  [
    /victim: victim:0 failed: OTHER/,
    ({ reports }) => (reports.victim.ends[0].error.code = "OTHER"),
  ],
  [/victim: victim:1 ended 0 times/, ({ reports }) => reports.victim.ends.pop()],
  [/victim: victim:1 has a wrong/, ({ reports }) => delete reports.victim.ends[1].error],
  [/victim: its code 1/, ({ reports }) => (reports.victim.code = 1)],
  [/victim: a later call undefined/, ({ reports }) => delete reports.victim.later],
  [/victim: connecting came to ERR/, ({ reports }) => (reports.victim.rejected = "ERR")],
  [/victim: each came to undefined/, ({ cell }) => (cell.moment = "each")],
];

describe("the checker of clients in the fault matrix", () => {
  it("finds nothing wrong where only the client that was struck lost something", () => {
    assert.deepEqual(problemsWith(struck()), []);
    assert.deepEqual(problemsWith(told()), []);
    const { cell, lines, reports } = told();
    const other = { ...reports.victim, accepted: [], ends: [] };
    assert.deepEqual(
      problemsWith({ cell: { ...cell, ofPool: true }, lines, reports: { ...reports, other } }),
      [],
    );
  });

  for (const [make, wrong] of /** @type {const} */ ([
    [struck, WRONG_WITH_CLIENTS],
    [told, WRONG_TOLD],
  ])) {
    for (const [words, breaks] of wrong) {
      it(`finds what is wrong: ${words.source}`, () => {
        const seen = make();
        breaks(seen);
        assert.match(problemsWith(seen).join("\n"), words);
      });
    }
  }

  it("finds a client that is not told that its pool is gone", () => {
    const { cell, lines, reports } = told();
    cell.ofPool = true;
    const told1 = problemsWith({ cell, lines, reports: { ...reports, other: undefined } });
    assert.deepEqual(told1, ["the other has not exited by itself"]);
  });
});

/** The pairs of values, of these names, that meet in no cell. */
function missingPairs(all, names) {
  const has = (one, other) =>
    all.some((cell) => cell[one[0]] === one[1] && cell[other[0]] === other[1]);
  const missing = [];
  for (const name of names) {
    for (const other of names.slice(names.indexOf(name) + 1)) {
      for (const value of valuesOf(all, name)) {
        for (const second of valuesOf(all, other))
          if (!has([name, value], [other, second])) missing.push(`${value} / ${second}`);
      }
    }
  }
  return missing;
}

const valuesOf = (all, name) => [...new Set(all.map((cell) => cell[name]))];

const NAMES = [...Object.keys(DIMENSIONS), "fault", "moment"];

describe("the cells of pools", () => {
  it("have each fault at each moment, and each two values of their dimensions", () => {
    // The number of workers of groups stays; only a worker with a tag of its own can be the last one; and three faults raise.
    const cannot = [
      /^(a|b) \/ resize$/,
      /^(a|none) \/ given up$/,
      /^(throw|reject|kills the master.*) \/ given up$/,
      /^kills the master and (loops|stops) \/ shutdown$/,
      /^kills the master.* \/ close by signal$/,
    ];
    assert.deepEqual(
      missingPairs(cells, NAMES).filter((pair) => !cannot.some((one) => one.test(pair))),
      [],
    );
    for (const [name, values] of Object.entries(DIMENSIONS))
      assert.deepEqual(valuesOf(cells, name).sort(), [...values].sort());
  });
});

describe("the cells of clients", () => {
  it("have each fault at each moment, and each two values of their dimensions", () => {
    const all = withClients;
    const cannot = [
      // The pool is not struck by what a client does on its way in.
      /^.* of the pool \/ connecting$/,
      /^(call|map|run) \/ reading$/,
      /^(call|map|stream) \/ reducing$/,
      /^call \/ feeding$/,
    ];
    const missing = missingPairs(all, NAMES).filter(
      (pair) => !cannot.some((one) => one.test(pair)),
    );
    assert.deepEqual(missing, []);
    assert.deepEqual(valuesOf(all, "fault"), Object.keys(CLIENT_FAULTS));
    assert.deepEqual(valuesOf(all, "moment"), Object.keys(CLIENT_MOMENTS));
  });

  it("have the same faults and moments, in half of them, as a whole", () => {
    const half = clientCells(2);
    assert.deepEqual(valuesOf(half, "fault").sort(), Object.keys(CLIENT_FAULTS).sort());
    assert.deepEqual(valuesOf(half, "moment").sort(), Object.keys(CLIENT_MOMENTS).sort());
  });
});

describe("the judge of flows", () => {
  const cell = (moment, retries) =>
    flowCells().find(
      (one) => one.fault === "throw" && one.moment === moment && one.retries === retries,
    );
  const ran = range(EVENTS).flatMap((n) => [
    `parts ${n}`,
    ...range(3).map((at) => `paired ${n} ${at}`),
  ]);
  const isFatal = ({ n, at }) => n === FATAL && at === 1;
  const failure = () => ({
    node: "paired",
    data: { n: FATAL, at: 1 },
    error: { message: "the fault" },
  });
  const good = () => ({
    files: { struck: "" },
    tmp: [],
    result: { value: { groups: groupsOf(isFatal), failed: [failure()] } },
    log: () => [...ran],
  });
  const judged = (change, retries = "off") => {
    const program = good();
    change(program);
    judgeFlow(cell("before the shuffle", retries), program);
  };

  it("lets pass what is as it should be", () => {
    judged(() => {});
    judged(({ result: { value } }) => {
      Object.assign(value, { groups: groupsOf(() => false), failed: [] });
    }, "on");
  });

  /** @type {Record<string, (program: any) => void>} */
  const WRONGS = {
    "an item that is lost": ({ result }) => result.value.groups[0].count--,
    "an item that is there twice": ({ result }) => result.value.groups[1].count++,
    "a group that is there twice": ({ result }) => result.value.groups.push(result.value.groups[4]),
    "an item that failed and counts": ({ result }) => {
      result.value.groups = groupsOf(() => false);
    },
    "a failure that is not told": ({ result }) => result.value.failed.pop(),
    "a failure of another node": ({ result }) => {
      result.value.failed[0].node = "parts";
    },
    "another error": ({ result }) => {
      result.value.failed[0].error.message = "another";
    },
    "files that are left": ({ tmp }) => tmp.push("sonic-spill-1"),
    "a call that rejects": ({ result }) => {
      result.error = { message: "no" };
    },
    "an event that ran twice": (program) => {
      program.log = () => [...ran, "parts 3"];
    },
  };
  for (const [what, change] of Object.entries(WRONGS))
    it(`finds ${what}`, () => assert.throws(() => judged(change)));
});
