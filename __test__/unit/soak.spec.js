"use strict";
/**
 * Promise: The soak's checker finds each forbidden outcome in what workers and master recorded. The soak itself is `npm
 * run test:soak`.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { check, checkFlatness } = require("../runners/soak/check");
const { checkFlow } = require("../runners/soak/flow-check");
const { flowOf, itemOf, sourceOf } = require("../runners/soak/flow-loads");
const { eventOf, groupsOf } = require("../runners/soak/loads");
const { checkPool } = require("../runners/soak/pool-check");
const { eventOf: poolEventOf, poolOf } = require("../runners/soak/pool-loads");

const CRASH = "ERR_SONIC_WORKER_EXIT";
const crash = (n, pid) => ({ n, error: { code: CRASH, pid } });
const answer = (n, pid, started) => ({ n, pid, started, isWhole: true });

/** Three events in two workers: one answered, one that throws, one whose worker died; and one that died before it began. */
const good = () => ({
  run: { count: 4, retries: 0 },
  does: ["answer", "throw", "exit", "answer"],
  logs: { 7: "S 0 10\nF 0 11\nS 1 12\nF 1 13\nS 2 14\n", 8: "" },
  outcome: {
    answered: [answer(0, 7, 10)],
    failed: [{ n: 1, error: { message: "event 1 throws" } }, crash(2, 7), crash(3, 8)],
  },
});

/** The same with a retry: of event 2, which is answered then, and of the others, which fail again. */
function retry(seen) {
  const { run, does, logs, outcome } = seen;
  run.retries = 1;
  does[2] = "answer";
  logs[8] = "S 2 20\nF 2 21\nS 1 22\nF 1 23\n";
  logs[9] = "S 3 30\n";
  outcome.answered.push(answer(2, 8, 20));
  const message = "event 1 throws";
  outcome.failed = [
    { n: 1, error: { message, attempts: [{ message }, { message }] } },
    { n: 3, error: { code: CRASH, pid: 9, attempts: [crash(3, 10).error, crash(3, 9).error] } },
  ];
}

const checked = ({ run, does, logs, outcome }) => check(run, (n) => does[n], logs, outcome);

describe("the soak's checker", () => {
  it("finds nothing wrong with a run in which all went as promised", () => {
    assert.deepEqual(checked(good()), []);
  });

  it("lets an event run as often as it may be retried, until it is answered", () => {
    const seen = good();
    retry(seen);
    assert.deepEqual(checked(seen), []);
  });

  it("lets an event that hangs run out of its time", () => {
    const seen = good();
    seen.does[1] = "hang";
    seen.outcome.failed[0].error = { code: "ERR_SONIC_TASK_TIMEOUT", message: "" };
    assert.deepEqual(checked(seen), []);
  });

  /** @type {[string, (seen: any) => unknown, RegExp][]} */
  const wrong = [
    ["an event that is lost", (seen) => seen.outcome.answered.pop(), /^event 0 is lost$/],
    [
      "an event that is answered twice",
      (seen) => seen.outcome.answered.push(answer(0, 7, 10)),
      /^event 0 has ended 2 times$/,
    ],
    [
      "an event that is answered and has failed",
      (seen) => seen.outcome.failed.push(crash(0, 9)),
      /^event 0 has ended 2 times$/,
    ],
    [
      "an event that ran more often than it may",
      (seen) => (seen.logs[8] = "S 2 20\n"),
      /^event 2 ran 2 times$/,
    ],
    [
      "an event that ran after it was answered",
      (seen) => {
        seen.run.retries = 1;
        seen.logs[8] = "S 0 20\n";
      },
      /^event 0 ran in 8 after it was answered in 7$/,
    ],
    [
      "an answer of a worker that has not run the event",
      (seen) => (seen.outcome.answered[0].pid = 8),
      /^event 0 was answered by 8/,
    ],
    [
      "an answer to an event that has not come to its end",
      (seen) => (seen.logs[7] = seen.logs[7].replace("F 0 11\n", "")),
      /^event 0 was answered by 7/,
    ],
    [
      "an answer of an event that never answers",
      (seen) => (seen.does[0] = "exit"),
      /^event 0 was answered, and was to exit$/,
    ],
    [
      "data that has changed",
      (seen) => (seen.outcome.answered[0].isWhole = false),
      /^the data of event 0/,
    ],
    [
      "a failure that the event did not cause",
      (seen) => (seen.does[1] = "answer"),
      /^event 1, which was to answer, failed/,
    ],
    [
      "a failure of an event that has not run",
      (seen) => (seen.logs[7] = seen.logs[7].replace("S 1 12\nF 1 13\n", "")),
      /^event 1 failed without having run$/,
    ],
    [
      "a second event that fails by the end of one worker",
      (seen) => (seen.outcome.failed[2].error.pid = 7),
      /^the end of worker process 7 failed event 3 too$/,
    ],
    [
      "an event that fails by the end of a worker which ran another",
      (seen) => (seen.logs[8] = "S 0 1\n"),
      /^event 3 failed by the end of 8, which ran 0$/,
    ],
    [
      "an event that fails by the end of a worker which had answered it",
      (seen) => (seen.logs[7] = "S 0 10\nF 0 11\nS 2 12\nF 2 13\nS 1 14\nF 1 15\n"),
      /^event 2 failed by the end of 7, which ran 1 by then$/,
    ],
    [
      "an event that does not hang and has run out of time",
      (seen) =>
        Object.assign(seen.outcome.failed[0].error, {
          code: "ERR_SONIC_TASK_TIMEOUT",
          message: "",
        }),
      /^event 1, which was to throw, failed/,
    ],
    [
      "an event that is given up too early",
      (seen) => {
        retry(seen);
        seen.outcome.failed[1].error.attempts.pop();
      },
      /^event 3 failed after 1 attempts$/,
    ],
    [
      "a second event that failed at first by the end of one worker",
      (seen) => {
        retry(seen);
        seen.outcome.failed[1].error.attempts[0].pid = 9;
      },
      /^the end of worker process 9 failed event 3 too$/,
    ],
    ["a call that rejects", (seen) => (seen.outcome = { rejected: "Error" }), /^the call rejected/],
  ];
  for (const [what, change, words] of wrong) {
    it(`sees ${what}`, () => {
      const seen = good();
      change(seen);
      assert.ok(
        checked(seen).some((line) => words.test(line)),
        checked(seen).join("\n") || "nothing",
      );
    });
  }
});

/** A pool with one job, whose events all have one key. One event emits another; all but the second answer. */
function goodPool() {
  const job = {
    name: "job0",
    kind: "stream",
    count: 3,
    keys: 1,
    tags: [],
    retries: 0,
    emits: true,
  };
  /** One client leaves, and one dies with an event running. @type {any[]} */
  const lives = ["c0.0", "c1.0"].map((name) => ({
    name,
    jobs: [{ ...job, name: `${name}.job0`, count: 1, keys: 0, emits: false }],
  }));
  lives[1].dies = { after: 1, how: "SIGKILL" };
  const clients = lives.map((life) => [life]);
  const about = { name: "pool", concurrency: 1, keeps: false, sizes: [{ size: 2 }] };
  const pool = { ...about, jobs: [job], clients };
  const does = (seed) => [0, 1, 2].map((n) => poolEventOf(seed, pool, job, n));
  const isMeant = (/** @type {any[]} */ [one, two, three]) =>
    [one.does, two.does, three.does].join() === "answer,exit,answer" && one.emits && !three.emits;
  let seed = 0;
  const answers = () =>
    lives.every((life) => poolEventOf(`${seed}`, pool, life.jobs[0], 0).does === "answer");
  while (!isMeant(does(`${seed}`)) || !answers()) seed++;
  const end = (n, started) => ({ n, response: { n, pid: 7, workerID: 2, started, isKept: false } });
  return {
    seed: `${seed}`,
    pool,
    logs: {
      6: "S job0 1 1 20\n",
      7: "S job0 0 1 10\nF job0 0 1 11\nS job0 1000 1 12\nF job0 1000 1 13\nS job0 2 1 30\nF job0 2 1 31\n",
      8: "S c0.0.job0 0 1 10\nF c0.0.job0 0 1 11\nS c1.0.job0 0 1 12\n",
    },
    outcome: {
      size: 2,
      tags: { 2: [] },
      statistics: { unfinished: 0, counts: { job0: 1 + 1001 + 3, "c0.0.job0": 1 } },
      lives: [
        {
          name: "c0.0",
          pid: 20,
          code: 0,
          signal: null,
          jobs: [
            {
              ends: [{ n: 0, response: { n: 0, pid: 8, workerID: 2, started: 10, isKept: false } }],
            },
          ],
        },
        { name: "c1.0", pid: 21, code: null, signal: "SIGKILL" },
      ],
      jobs: [
        {
          ends: [
            end(0, 10),
            end(1000, 12),
            end(2, 30),
            { n: 1, error: { name: "Error", code: CRASH, pid: 6 } },
          ],
        },
      ],
    },
    killed: new Set(),
  };
}

const checkedPool = ({ seed, pool, logs, outcome, killed }) =>
  checkPool(seed, pool, logs, outcome, killed);

describe("the soak's checker of pools", () => {
  it("finds nothing wrong with a pool in which all went as promised", () => {
    assert.deepEqual(checkedPool(goodPool()), []);
  });

  it("lets a client die that was killed from outside, and no other", () => {
    const seen = goodPool();
    const [life] = seen.outcome.lives;
    Object.assign(life, { code: null, signal: "SIGKILL", jobs: undefined });
    assert.match(checkedPool(seen).join(), /^client c0.0 ended with SIGKILL before/);
    seen.killed.add(20);
    assert.deepEqual(checkedPool(seen), []);
  });

  /** @type {[string, (seen: any, job: any) => unknown, RegExp][]} */
  const wrong = [
    ["a pool that fails", ({ outcome }) => (outcome.rejected = "no"), /^the pool failed: no$/],
    ["an event that is lost", (_, { ends }) => ends.splice(2, 1), /event 2 is lost$/],
    ["an event that ends twice", (_, { ends }) => ends.push(ends[2]), /event 2 .* twice$/],
    ["an event that nothing emitted", (_, { ends }) => (ends[1].n = 1002), /event 1002 has ended/],
    [
      "a count that is not that of the answers",
      ({ outcome }) => outcome.statistics.counts.job0++,
      /counted 1006, and were to count 1005$/,
    ],
    [
      "an event that is left",
      ({ outcome }) => (outcome.statistics.unfinished = 1),
      /^events are unfinished/,
    ],
    ["a pool of another size", ({ outcome }) => (outcome.size = 3), /^there are 3 workers/],
    [
      "two events of a key at once",
      ({ logs }) => (logs[7] = logs[7].replace("F job0 0 1 11", "F job0 0 1 25")),
      /event 1 began while 0 of the same key ran$/,
    ],
    [
      "events of a key out of order",
      ({ logs }) => (logs[6] = "S job0 1 1 40\n"),
      /event 1 began after 2 of the same key$/,
    ],
    [
      "a crash of a worker that was not to end",
      (_, { ends }) => (ends[3].error.pid = 7),
      /event 1, which was to exit, failed/,
    ],
    [
      "an event that ran too often",
      ({ logs }) => (logs[9] = "S job0 1 2 21\n"),
      /event 1 ran as attempts 1,2$/,
    ],
    [
      "an event that ran in another worker than it says",
      (_, { ends }) => (ends[0].response.pid = 6),
      /event 0 was answered by 6, which has not run it$/,
    ],
    [
      "an event that ran before what is kept",
      ({ pool }) => (pool.keeps = true),
      /event 0 ran in 7 before what is kept$/,
    ],
    [
      "an event of a client that is lost",
      ({ outcome }) => outcome.lives[0].jobs[0].ends.pop(),
      /c0.0.job0: event 0 is lost$/,
    ],
    [
      "an event of a dead client that ran too often",
      ({ logs }) => (logs[8] += "S c1.0.job0 0 2 30\n"),
      /c1.0.job0: event 0 ran as attempts 1,2$/,
    ],
    [
      "a client that was not to die",
      ({ outcome }) => (outcome.lives[0].code = 1),
      /^client c0.0 ended with 1 after its jobs were done$/,
    ],
    [
      "a client that left before its jobs were done",
      ({ outcome }) => delete outcome.lives[0].jobs,
      /^client c0.0 ended with 0 before its jobs were done$/,
    ],
    [
      "a client that died in another way",
      ({ outcome }) => Object.assign(outcome.lives[1], { signal: "SIGSEGV" }),
      /^client c1.0 ended with SIGSEGV before/,
    ],
    [
      "a client that did not come",
      ({ outcome }) => outcome.lives.pop(),
      /^client c1.0 came 0 times$/,
    ],
    [
      "an event that ran in a worker without its tags",
      ({ pool }) => pool.jobs[0].tags.push("a"),
      /event 0 ran in worker 2, which has the tags $/,
    ],
  ];
  for (const [what, change, message] of wrong) {
    it(`finds ${what}`, () => {
      const seen = goodPool();
      change(seen, seen.outcome.jobs[0]);
      assert.match(checkedPool(seen)[0] ?? "nothing", message);
    });
  }
});

describe("the soak's measurement", () => {
  const held = { rss: 100e6, fds: 20, threads: 7, processes: 0 };
  /** Five minutes, a sample every ten seconds; `change` says what is otherwise in the last minute. */
  const samples = (change) =>
    Array.from({ length: 30 }, (_, at) => ({
      ...held,
      ...(at >= 24 ? change : {}),
      at: at * 10_000,
    }));

  it("is content when the master holds what it held", () => {
    assert.deepEqual(checkFlatness(samples({})).wrong, []);
    assert.deepEqual(checkFlatness(samples({ rss: 120e6, fds: 19 })).wrong, []);
  });

  for (const change of [{ rss: 160e6 }, { fds: 21 }, { threads: 8 }, { processes: 1 }]) {
    it(`sees what grows: ${Object.keys(change)}`, () => {
      const { wrong } = checkFlatness(samples(change));
      assert.equal(wrong.length, 1);
      assert.match(wrong[0], new RegExp(`^${Object.keys(change)} grew from`));
    });
  }
});

describe("the soak's loads", () => {
  it("are the same for the same seed, and others for another", () => {
    const all = (seed) =>
      groupsOf(seed, 3)
        .flat()
        .map((run) => [run, eventOf(seed, run, 1)]);
    assert.deepEqual(all("5"), all("5"));
    assert.notDeepEqual(all("5"), all("6"));
    assert.deepEqual(poolOf("5", 3), poolOf("5", 3));
    assert.notDeepEqual(poolOf("5", 3), poolOf("6", 3));
  });
});

describe("the soak's checker of flows", () => {
  const seed = "flows";
  /** A flow that does everything. */
  const load = { ...flowOf(seed, 1), count: 40, retries: 0 };
  const events = Array.from({ length: load.count }, (_, n) => ({ n, ...sourceOf(seed, load, n) }));
  const crash = { code: CRASH, message: "" };
  const failureOf = (node, data, does, text) => ({
    node,
    data,
    error: does === "throw" ? { message: `${text} throws` } : crash,
  });

  const good = () => {
    const results = [];
    const failed = [];
    const groups = new Map();
    for (const { n, does, items } of events) {
      if (does !== "answer") failed.push(failureOf("parts", n, does, `event ${n}`));
      for (let at = 0; does === "answer" && at < items; at++) {
        const { key, ...item } = itemOf(seed, load, n, at);
        if (item.does !== "answer") {
          failed.push(failureOf("moved", { n, at }, item.does, `item ${n} ${at}`));
          continue;
        }
        results.push({ sink: "moved", response: [key, { n, at }] });
        groups.set(key, [...(groups.get(key) ?? []), { n, at }]);
      }
    }
    for (const [key, all] of groups)
      results.push({ sink: "gathered", response: { key, items: all } });
    return { logs: { 7: "S 1\nS 2\nS 2 0\n", 8: "" }, outcome: { results, failed } };
  };
  const checkedFlow = (change = (_) => {}) => {
    const seen = good();
    change(seen);
    return checkFlow(seed, load, seen.logs, seen.outcome);
  };
  const isOf =
    (name) =>
    ({ sink }) =>
      sink === name;

  it("finds nothing wrong with a flow in which all went as promised", () => {
    assert.deepEqual(checkedFlow(), []);
    const { failed } = good().outcome;
    assert.ok(failed.some(({ node }) => node === "parts"));
    assert.ok(failed.some(({ node }) => node === "moved"));
  });

  it("lets groups fail by the end of a worker", () => {
    const lose = ({ outcome }) => {
      outcome.results.splice(outcome.results.findIndex(isOf("gathered")), 1);
      outcome.failed.push({ node: "gathered", error: crash });
    };
    assert.deepEqual(checkedFlow(lose), []);
  });

  /** @type {Record<string, [RegExp, (seen: any) => void]>} */
  const WRONGS = {
    "a run that failed": [/the run failed/, ({ outcome }) => (outcome.rejected = "no")],
    "a lost item": [
      /has ended 0 times/,
      ({ outcome: { results } }) => results.splice(results.findIndex(isOf("moved")), 1),
    ],
    "an item that ended twice": [
      /has ended 2 times/,
      ({ outcome: { results } }) => results.push(results.find(isOf("moved"))),
    ],
    "an item of an event that failed": [
      /has ended 1 times, and was to 0/,
      ({ outcome: { results, failed } }) => {
        const { n } = events.find(({ does, items }) => does !== "answer" && items > 0);
        assert.ok(failed.some(({ data }) => data === n));
        results.push({ sink: "moved", response: [itemOf(seed, load, n, 0).key, { n, at: 0 }] });
      },
    ],
    "an item in another group": [
      /is in group/,
      ({ outcome: { results } }) => {
        const [one, other] = results.filter(isOf("gathered"));
        one.response.items.push(other.response.items.pop());
      },
    ],
    "an item that is in no group": [
      /is in no group/,
      ({ outcome: { results } }) => results.find(isOf("gathered")).response.items.pop(),
    ],
    "a group that is there twice": [
      /is there twice/,
      ({ outcome: { results } }) =>
        results.push({
          sink: "gathered",
          response: { ...results.find(isOf("gathered")).response, items: [] },
        }),
    ],
    "a failure that nothing was to cause": [
      /which was to answer, failed/,
      ({ outcome: { failed } }) => failed.push({ node: "gathered", error: { message: "what" } }),
    ],
    "a failure before its last attempt": [
      /failed after 2 attempts/,
      ({ outcome: { failed } }) => {
        failed[0].error.attempts = [failed[0].error, failed[0].error];
      },
    ],
    "an event that ran too often": [/2 ran 2 times/, ({ logs }) => (logs[8] = "S 2\n")],
  };
  for (const [what, [message, change]] of Object.entries(WRONGS))
    it(`finds ${what}`, () => assert.match(checkedFlow(change).join("\n"), message));
});
