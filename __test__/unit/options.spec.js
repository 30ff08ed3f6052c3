"use strict";
/**
 * Promise: Each option takes its documented values. Any other is a TypeError or RangeError that names the option and
 * shows what was given. An unknown name is an error that suggests the nearest one. Prototypes are ignored.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { native } = require("../../lib/shared/native");
const { numWorkersOf } = require("../../lib/shared/num-workers");
const { checkCount, checkFunction } = require("../../lib/shared/checks");
const {
  CALL_CHECKS,
  CONNECT_CHECKS,
  EACH_CHECKS,
  MAP_CHECKS,
  OWN_MAP_CHECKS,
  OWN_RUN_CHECKS,
  OWN_STREAM_CHECKS,
  POOL_CHECKS,
  POOL_STREAM_CHECKS,
  checkOptions,
  STREAM_CHECKS,
} = require("../../lib/shared/options");

const CODE = "ERR_SONIC_INVALID_ARGUMENT";
const MOST_MS = 2 ** 31 - 1;
const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };
const fn = () => {};
const RETRIES = {
  backoff: 0,
  factor: 2,
  maxDelay: 30_000,
  on: ["crash", "timeout", "error", "host"],
};

/** What each option may be, least and most first where there are such; and what it may not be, by the error's class. */
const OPTIONS = {
  name: {
    good: ["a", "x".repeat(200)],
    TypeError: [5, null, ["a"]],
    RangeError: ["", "x".repeat(201)],
  },
  numWorkers: {
    good: [1, 4094],
    TypeError: ["2", null, [2], true, 2n],
    RangeError: [0, -1, 1.5, Number.NaN, Infinity, 4095],
  },
  serialization: { good: ["json", "advanced"], TypeError: ["JSON", "", 0, null] },
  checkpoint: { good: [], TypeError: ["", 5, null, ["a"], true] },
  spillDir: { good: ["spill", "/tmp"], TypeError: ["", 5, null, {}] },
  sharedSpill: { good: [true, false], TypeError: ["", 1, null, "/tmp"] },
  concurrency: { good: [1, 1024], TypeError: ["1"], RangeError: [0, 1025] },
  maxEventsPerWorker: { good: [1, 2 ** 20], TypeError: ["1"], RangeError: [0, 2 ** 20 + 1] },
  maxBytesWaiting: {
    good: [1, Number.MAX_SAFE_INTEGER],
    TypeError: ["1"],
    RangeError: [0, 2 ** 53],
  },
  taskTimeout: {
    good: [0.5, MOST_MS, Infinity],
    TypeError: ["100", null],
    RangeError: [0, -1, Number.NaN, MOST_MS + 1],
  },
  maxTasksPerWorker: { good: [1, 2 ** 31 - 1], TypeError: ["1"], RangeError: [0, 2 ** 31] },
  maxWorkerMemory: { good: [1, Number.MAX_SAFE_INTEGER], TypeError: ["1"], RangeError: [0] },
  shutdownGrace: {
    good: [0, MOST_MS, Infinity],
    TypeError: ["1"],
    RangeError: [-1, Number.NaN, MOST_MS + 1],
  },
  heartbeatTimeout: { good: [0, 1, Infinity], TypeError: ["1"], RangeError: [-1, Number.NaN] },
  signal: {
    good: [signal],
    TypeError: [
      null,
      {},
      fn,
      { ...signal, aborted: 1 },
      { ...signal, addEventListener: undefined },
    ],
  },
  onError: { good: ["collect", "abort"], TypeError: ["Abort", true] },
  abortGrace: { good: [0, MOST_MS], TypeError: ["1"], RangeError: [-1, Infinity] },
  onResult: { good: [fn], TypeError: ["f", null] },
  statistics: { good: [true, false], TypeError: [0, "true", null] },
  onStats: { good: [fn], TypeError: [true] },
  trace: { good: ["a.json"], TypeError: ["", true, 5] },
  report: { good: ["a.html"], TypeError: ["", true] },
  progress: {
    good: [true, false, "workers"],
    TypeError: ["worker", 1, null, { label: "" }, { unit: 5 }, { workers: 1 }, { units: "x" }],
  },
  label: { good: [fn], TypeError: ["x", null] },
  total: { good: [0, Number.MAX_SAFE_INTEGER], TypeError: ["1"], RangeError: [-1, 0.5, Infinity] },
  onProgress: { good: [fn], TypeError: ["f"] },
};

/** The same of what a stream has besides. */
const STREAM_OPTIONS = {
  order: { good: ["completion", "submission"], TypeError: ["fifo", 1] },
  maxResultsWaiting: { good: [1, 2 ** 20], TypeError: ["1"], RangeError: [0, 2 ** 20 + 1] },
};

const RETRY_OPTIONS = {
  limit: { good: [0, 1000], TypeError: ["1", null], RangeError: [-1, 0.5, 1001, Number.NaN] },
  backoff: { good: [0, MOST_MS], TypeError: ["1"], RangeError: [-1, Infinity] },
  factor: { good: [1, 10.5], TypeError: ["2"], RangeError: [0.9, Infinity, Number.NaN] },
  maxDelay: { good: [0, MOST_MS], TypeError: ["1"], RangeError: [-1] },
  on: {
    good: [["crash"], ["error", "timeout"]],
    TypeError: ["crash", [], ["crash", "crashes"], ["crash", undefined], null],
  },
};

/** An error of ours of that class that has these words. */
const naming =
  (Class, ...words) =>
  (error) => {
    assert.deepEqual([error.constructor.name, error.code], [Class, CODE], error.message);
    for (const word of words)
      assert.ok(error.message.includes(word), `"${error.message}" does not have ${word}`);
    return true;
  };

/** As the error shows it; nothing where that is not to be said here. */
const shown = (value) =>
  typeof value === "string" && value.length < 100
    ? JSON.stringify(value)
    : typeof value === "number"
      ? `${value}`
      : "";
const words = (value) =>
  typeof value === "object" ? JSON.stringify(value) : `${String(value).slice(0, 20)}`;

function checkTable(table, check, where) {
  for (const [name, { good, ...wrong }] of Object.entries(table)) {
    for (const value of good) {
      it(`${name} may be ${words(value)}`, () =>
        assert.deepEqual(check({ [name]: value })[name], value));
    }
    for (const [Class, values] of Object.entries(wrong)) {
      for (const value of values) {
        it(`${name} may not be ${typeof value} ${words(value)}`, () => {
          const given =
            Class === "TypeError" && Array.isArray(value)
              ? ""
              : name === "name"
                ? ""
                : shown(value);
          assert.throws(() => check({ [name]: value }), naming(Class, `${where}.${name}`, given));
        });
      }
    }
  }
}

describe("the option", () => {
  checkTable(OPTIONS, checkOptions, "options");
  it("is in this table, whichever it is", () => {
    const { onResult: _, ...common } = OPTIONS;
    const own = ["retries", "workers", "dashboard", "cluster"];
    const known = [...Object.keys(common), ...Object.keys(STREAM_OPTIONS), ...own];
    assert.deepEqual(Object.keys(STREAM_CHECKS).sort(), known.sort());
  });
});

describe("a stream's option", () => {
  checkTable(STREAM_OPTIONS, (given) => checkOptions(given, STREAM_CHECKS), "options");
  it("is none of those that only a call has, nor the other way round", () => {
    assert.throws(
      () => checkOptions({ onResult: fn }, STREAM_CHECKS),
      naming("TypeError", "options.onResult"),
    );
    for (const name of Object.keys(STREAM_OPTIONS)) {
      assert.throws(
        () => checkOptions({ [name]: STREAM_OPTIONS[name].good[0] }),
        naming("TypeError", `options.${name}`),
      );
    }
  });
});

describe("the option cluster", () => {
  const url = "redis://user:secret@example.org:6380/2";
  const usual = { timeout: 60_000, lease: 10_000, prefix: "sonic", tls: undefined };
  for (const checks of [undefined, STREAM_CHECKS, POOL_CHECKS]) {
    it("may be a URL alone, and has the usual values otherwise", () => {
      assert.deepEqual({ ...checkOptions({ cluster: url }, checks).cluster }, { ...usual, url });
      const given = { url: "rediss://h", timeout: 1, lease: 1000, prefix: "a.b-c_1", tls: {} };
      assert.deepEqual({ ...checkOptions({ cluster: given }, checks).cluster }, given);
      for (const other of ["postgres://h/db", "postgresql://h/db"])
        assert.equal(checkOptions({ cluster: other }, checks).cluster.url, other);
    });
  }
  for (const [given, where, ...rest] of [
    [7, "options.cluster", "7"],
    ["nonsense", "options.cluster"],
    ["http://h", "options.cluster", "redis: or rediss:"],
    ["mysql://h/db", "options.cluster", "postgres: (PostgreSQL)"],
    [{}, "options.cluster.url"],
    [{ url, prefix: "a:b" }, "options.cluster.prefix"],
    [{ url, prefix: "" }, "options.cluster.prefix"],
    [{ url, tls: 1 }, "options.cluster.tls"],
    [{ url, leese: 1 }, "options.cluster.leese", "did you mean lease"],
  ]) {
    it(`may not be ${words(given)}`, () =>
      assert.throws(() => checkOptions({ cluster: given }), naming("TypeError", where, ...rest)));
  }
  for (const [name, value] of [
    ["timeout", 0],
    ["lease", 999],
    ["timeout", 2 ** 31],
  ]) {
    it(`may not have a ${name} of ${value}`, () =>
      assert.throws(
        () => checkOptions({ cluster: { url, [name]: value } }),
        naming("RangeError", `options.cluster.${name}`, `${value}`),
      ));
  }
  it("does not show a password in an error", () => {
    assert.throws(
      () => checkOptions({ cluster: "//user:secret@h" }),
      ({ message }) => !message.includes("secret"),
    );
  });
});

describe("an option of a pool", () => {
  const { signal, maxEventsPerWorker, maxBytesWaiting, progress, onProgress, onStats } = OPTIONS;
  const all = { signal, maxEventsPerWorker, maxBytesWaiting, progress, onProgress, onStats };
  checkTable(all, (given) => checkOptions(given, POOL_CHECKS), "options");

  const { total, trace, report } = OPTIONS;
  for (const checks of [OWN_RUN_CHECKS, OWN_STREAM_CHECKS])
    checkTable(
      { progress, total, trace, report },
      (given) => checkOptions(given, checks),
      "options",
    );
  checkTable({ progress, total }, (given) => checkOptions(given, OWN_MAP_CHECKS), "options");

  it("is any option of MapReduce, or is refused with what to do", () => {
    for (const name of Object.keys(OPTIONS)) assert.ok(name in POOL_CHECKS, name);
    for (const name of ["total", "trace", "report", "statistics", "onResult", "onError"])
      assert.throws(
        () => checkOptions({ [name]: OPTIONS[name].good[0] }, POOL_CHECKS),
        /^TypeError: options\.\w+ is not possible here: /,
      );
  });

  it("is none that a client's run may have: it would write files of another process", () => {
    for (const name of ["trace", "report", "progress"])
      assert.throws(
        () => checkOptions({ [name]: OPTIONS[name].good[0] }, POOL_STREAM_CHECKS),
        naming("TypeError", `options.${name}`),
      );
  });
});

describe("an option for several programs", () => {
  const listen = { good: ["a", "/run/jobs"], TypeError: [7, "", null, ["a"]] };
  const { spillDir, sharedSpill } = OPTIONS;
  const errors = { good: [[], [Error, TypeError]], TypeError: [7, [7]] };
  const ofPool = { listen, spillDir, sharedSpill };
  checkTable(ofPool, (given) => checkOptions(given, POOL_CHECKS), "options");
  checkTable({ errors }, (given) => checkOptions(given, CONNECT_CHECKS), "options");
  it("is none of a client's that only a pool has", () => {
    assert.deepEqual(Object.keys(CONNECT_CHECKS).sort(), ["errors", "signal"]);
    assert.throws(() => checkOptions({ numWorkers: 1 }, CONNECT_CHECKS), naming("TypeError"));
  });
});

describe("the option dashboard", () => {
  const token = "0123456789abcdef";
  const HERE = { host: "127.0.0.1", port: 9000, token: undefined };
  const check = (dashboard) => checkOptions({ dashboard }).dashboard;
  it("may be a flag, a port, or say more, of a pool too", () => {
    assert.equal(check(false), false);
    const places = [
      [true, { host: "127.0.0.1", port: 9000 }],
      [0, { host: "127.0.0.1", port: 0 }],
      [65_535, { host: "127.0.0.1", port: 65_535 }],
      [{}, HERE],
      [{ port: 1 }, { ...HERE, port: 1 }],
      [{ host: "localhost" }, { ...HERE, host: "localhost" }],
      [
        { host: "::1", token },
        { ...HERE, host: "::1", token },
      ],
      [
        { host: "0.0.0.0", token },
        { ...HERE, host: "0.0.0.0", token },
      ],
    ];
    for (const [given, place] of places) {
      assert.deepEqual({ ...check(given) }, place);
      assert.deepEqual({ ...checkOptions({ dashboard: given }, POOL_CHECKS).dashboard }, place);
    }
  });
  it("may be nothing else, and shows no token", () => {
    const wrong = [
      ["TypeError", "9000", '"9000"'],
      ["TypeError", null],
      ["TypeError", [9000]],
      ["RangeError", -1, "-1"],
      ["RangeError", 65_536, "65536"],
      ["RangeError", 1.5, "1.5"],
      ["TypeError", { Port: 1 }, "did you mean port?"],
      ["TypeError", { host: "" }, "dashboard.host"],
      ["TypeError", { host: 7 }, "dashboard.host"],
      ["TypeError", { port: "1" }, "dashboard.port"],
      ["TypeError", { token: "short" }, "dashboard.token", "at least 16"],
      ["TypeError", { token: `${token} &` }, "dashboard.token"],
      ["TypeError", { host: "0.0.0.0" }, "dashboard.host", "add a token"],
      ["TypeError", { host: "example.com" }, "dashboard.host", "add a token"],
    ];
    for (const [Class, given, ...words] of wrong) {
      assert.throws(() => check(given), naming(Class, "options.dashboard", ...words));
    }
    assert.throws(
      () => check({ token: "hidden" }),
      ({ message }) => !message.includes("hidden"),
    );
  });
  it("has own properties: what comes through a prototype is not seen", () => {
    assert.deepEqual({ ...check(Object.create({ host: "0.0.0.0", port: 5 })) }, HERE);
  });
});

describe("the option checkpoint", () => {
  const { resolve } = require("node:path");
  const checked = (checkpoint) => checkOptions({ checkpoint }).checkpoint;
  it("is a file, by its whole path, and when that goes to the disk", () => {
    const file = resolve("job.state");
    assert.deepEqual(checked("job.state"), { file, fsync: -1 });
    for (const [fsync, is] of [
      [undefined, -1],
      [false, -1],
      [true, 0],
      [1, 1],
      [MOST_MS, MOST_MS],
    ])
      assert.deepEqual(checked({ file: "job.state", fsync }), { file, fsync: is });
  });
  it("names what is wrong with it", () => {
    for (const [given, name] of [
      [{}, "options.checkpoint.file"],
      [{ fsync: true }, "options.checkpoint.file"],
      [{ file: "" }, "options.checkpoint.file"],
      [{ file: "a", sync: true }, "options.checkpoint.sync"],
      ...[0, 0.5, -1, MOST_MS + 1, Number.NaN, "always", null].map((fsync) => [
        { file: "a", fsync },
        "options.checkpoint.fsync",
      ]),
    ])
      assert.throws(() => checked(given), naming("TypeError", name));
  });
  it("is one of calls that have many events", () => {
    for (const checks of [STREAM_CHECKS, OWN_MAP_CHECKS, OWN_STREAM_CHECKS, OWN_RUN_CHECKS])
      assert.ok(checkOptions({ checkpoint: "a" }, checks).checkpoint);
    for (const checks of [CALL_CHECKS, EACH_CHECKS, MAP_CHECKS, POOL_STREAM_CHECKS, POOL_CHECKS])
      assert.throws(() => checkOptions({ checkpoint: "a" }, checks), naming("TypeError"));
  });
});

describe("the option retries", () => {
  checkTable(
    RETRY_OPTIONS,
    (retries) => checkOptions({ retries: { limit: 1, ...retries } }).retries,
    "options.retries",
  );
  it("may be a number alone, and has the usual values otherwise", () => {
    assert.deepEqual(checkOptions({ retries: 3 }).retries, { limit: 3, ...RETRIES });
    assert.deepEqual(checkOptions({ retries: { limit: 3, factor: 1 } }).retries, {
      limit: 3,
      ...RETRIES,
      factor: 1,
    });
  });
  it("must say how many", () => {
    assert.throws(
      () => checkOptions({ retries: {} }),
      naming("TypeError", "options.retries.limit"),
    );
    assert.throws(
      () => checkOptions({ retries: "3" }),
      naming("TypeError", "options.retries", '"3"'),
    );
    assert.throws(
      () => checkOptions({ retries: 1001 }),
      naming("RangeError", "options.retries", "1001"),
    );
  });
  it("copies what it holds: a program may change its own afterwards", () => {
    const on = ["crash"];
    const { retries } = checkOptions({ retries: { limit: 1, on } });
    on.push("wrong");
    assert.deepEqual(retries.on, ["crash"]);
  });
});

describe("options", () => {
  for (const none of [undefined, null]) {
    it(`may be ${none}`, () => assert.deepEqual(Object.keys(checkOptions(none)), []));
  }
  for (const wrong of [5, "name", [], fn, true]) {
    it(`are an object, and no ${typeof wrong} ${words(wrong)}`, () =>
      assert.throws(() => checkOptions(wrong), naming("TypeError", "options")));
  }

  const meant = [
    [{ taskTimeOut: 1 }, "options.taskTimeOut", "taskTimeout"],
    [{ numworkers: 1 }, "options.numworkers", "numWorkers"],
    [{ retris: 1 }, "options.retris", "retries"],
    [{ retries: { limits: 1 } }, "options.retries.limits", "limit"],
    [{ concurrency_of_all: 1 }, "options.concurrency_of_all", "maxEventsPerWorker"],
  ];
  for (const [given, path, name] of meant) {
    it(`that are unknown are errors that suggest a name: ${path}`, () =>
      assert.throws(() => checkOptions(given), naming("TypeError", path, name)));
  }

  it("that are undefined are not there", () => {
    assert.deepEqual(Object.keys(checkOptions({ numWorkers: undefined, name: "x" })), ["name"]);
  });

  it("come from no prototype, and have none", () => {
    const inherited = Object.create({ numWorkers: "wrong", unknown: 1 });
    const checked = checkOptions(inherited);
    assert.deepEqual([Object.getPrototypeOf(checked), checked.numWorkers], [null, undefined]);
  });

  it("named like something of every object are unknown", () => {
    assert.throws(
      () => checkOptions(JSON.parse('{"toString":1}')),
      naming("TypeError", "options.toString"),
    );
    assert.throws(
      () => checkOptions(JSON.parse('{"__proto__":1}')),
      naming("TypeError", "options.__proto__"),
    );
  });
});

describe("the number of workers", () => {
  const cases = [
    [{}, {}, native().usableProcessors()],
    [{ numWorkers: 2 }, {}, 2],
    [{ numWorkers: 2 }, { numWorkers: 3 }, 3],
    [{ numWorkers: "wrong" }, { numWorkers: 3 }, 3],
    [Object.create({ numWorkers: 2 }), {}, 2],
  ];
  for (const [args, options, expected] of cases) {
    it(`is ${expected} for ${words(args)} and ${words(options)}`, () =>
      assert.equal(numWorkersOf(args, options), expected));
  }
  it("must be one where args have it", () => {
    for (const [value, Class] of [
      ["2", "TypeError"],
      [null, "TypeError"],
      [0, "RangeError"],
      [4095, "RangeError"],
    ]) {
      assert.throws(
        () => numWorkersOf({ numWorkers: value }, {}),
        naming(Class, "args.numWorkers", `${value}`),
      );
    }
  });
});

describe("an argument", () => {
  it("that is a count is returned, or is an error that names it", () => {
    assert.equal(checkCount("n", 3, 5), 3);
    assert.throws(() => checkCount("n", 6, 5), naming("RangeError", "n ", "5", "6"));
    assert.throws(() => checkCount("n", "3", 5), naming("TypeError", "n ", '"3"'));
  });
  it("that is a function passes, or is an error that names it", () => {
    assert.doesNotThrow(() => checkFunction("masterFn", fn));
    assert.throws(() => checkFunction("masterFn", 42), naming("TypeError", "masterFn", "42"));
  });
});
