"use strict";
/**
 * The programs of `windows.spec.js`, by name: `node programs.js NAME [ARGUMENT…]`. Each prints one line of JSON in its
 * master; what outlives a master writes to files in the working directory.
 */
const cluster = require("cluster");
const { spawn } = require("child_process");
const fs = require("fs");
const net = require("net");

const [name, ...args] = process.argv.slice(2);

// Before the package is loaded: through Node's own channel.
if (name === "early" && cluster.isWorker) {
  process.send({ early: "x".repeat(Number(args[0])) });
  process.on("message", ({ back }) => back && process.send({ thanks: back.length }));
}
if (name === "never loads" && cluster.isWorker) {
  note("pids", process.pid);
  for (;;);
}

const { isMaster, locks, Map, MapReduce, sync } = require("../..");

const setup = (settings) => {
  if (isMaster()) (cluster.setupPrimary || cluster.setupMaster)(settings);
};

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Appends a line to a file of this process's: wine loses some where several append to one. */
function note(file, text) {
  fs.appendFileSync(`${file}.${process.pid}.log`, `${text}\n`);
}

/** Starts a process that lives for long, and notes it. */
function grandchild() {
  const { pid } = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], {
    stdio: "ignore",
  });
  note("pids", pid);
}

/** Hands over the numbers up to `count`, and gives what became of them. */
const numbers = (count, workerFn, { numWorkers = 2, options, ...more } = {}) =>
  MapReduce(
    async (queue) => {
      for (let data = 0; data < count; data++) await Map(queue, { data });
      if (more.then) await more.then();
    },
    [workerFn],
    (results, failed) => ({ results: results.getElements(), failed: failed.getElements() }),
    { numWorkers },
    options,
  );

/** The same, in figures. */
const sums = async (...rest) => {
  const outcome = await numbers(...rest);
  if (outcome === undefined) return undefined;
  const { results, failed } = outcome;
  const sum = results.reduce((before, { response }) => before + response, 0);
  return { answered: results.length, sum, failed };
};

const PROGRAMS = {
  events: (count) => sums(Number(count), ({ data }) => data * 2),

  exits: () => sums(10, ({ data }) => (data === 4 ? process.exit(3) : data)),

  aborts: () => sums(10, ({ data }) => (data === 4 ? process.abort() : data)),

  "runs out of memory": () => {
    setup({ execArgv: ["--max-old-space-size=40"] });
    return sums(2, ({ data }) => {
      for (const all = []; data === 1; ) all.push(new Array(1000).fill(all.length));
      return data;
    });
  },

  killed() {
    if (isMaster()) cluster.on("message", (_, { victim }) => victim && process.kill(victim));
    return sums(10, ({ data }) => {
      if (data !== 4) return data;
      process.send({ victim: process.pid });
      return after(60e3);
    });
  },

  /** Events add to a number in a file, one at a time, and one dies while it does. */
  async locks() {
    if (isMaster()) fs.writeFileSync("number", "0");
    const number = () => Number(fs.readFileSync("number", "utf8"));
    const outcome = await sums(100, async ({ data }) => {
      if (data < 2) await sync.barrier("both", 2).wait();
      sync.counter("events").add();
      await locks.request("number", async () => {
        const before = number();
        await after(1);
        fs.writeFileSync("number", `${before + 1}`);
        if (data === 40) process.exit(3);
      });
      return data;
    });
    return outcome && { ...outcome, number: number(), counted: sync.counter("events").load() };
  },

  async signalled(signal) {
    const exits = [];
    let said;
    let running = 0;
    if (isMaster()) {
      cluster.on("exit", ({ id }, code, by) => exits.push([id, code, by]));
      cluster.on("message", (_, { runs }) => runs && running++);
    }
    const then = async () => {
      while (running < 2) await after(10);
      const { process: first } = Object.values(cluster.workers).find(({ id }) => id === 1);
      said = [first.kill(0), first.kill(signal)];
    };
    const workerFn = async ({ data }) => {
      process.send({ runs: true });
      await after(1000);
      return data;
    };
    const outcome = await numbers(2, workerFn, { then });
    return outcome && { said, exits, failed: outcome.failed.map(({ error }) => error) };
  },

  async sends() {
    const said = [];
    if (isMaster()) {
      cluster.on("message", (worker, message) => {
        if (message.hello !== undefined) {
          said.push(message.hello);
          worker.send({ back: message.hello });
        }
      });
    } else {
      process.on("message", ({ back }) => back && note("back", back));
      process.send({ hello: process.pid });
    }
    const outcome = await numbers(2, ({ data }) => data, { then: () => after(1000) });
    if (outcome === undefined) return undefined;
    const files = fs.readdirSync(".").filter((file) => file.startsWith("back."));
    return { said, back: files.map((file) => fs.readFileSync(file, "utf8").trim()) };
  },

  async early(length) {
    const said = [];
    if (isMaster()) {
      cluster.on("message", (worker, { early, thanks }) => {
        if (early !== undefined) worker.send({ back: early });
        if (thanks !== undefined) said.push(early || thanks);
      });
    }
    const then = async () => {
      while (said.length < 2) await after(10);
    };
    const outcome = await numbers(1, () => 0, { then });
    return outcome && { said, length: Number(length) };
  },

  dies(how) {
    const then = async () => {
      Object.values(cluster.workers).forEach(({ process: { pid } }) => note("pids", pid));
      await after(500);
      if (how === "exits") process.exit(0);
      process.kill(process.pid, "SIGKILL");
    };
    const workerFn = ({ data }) => {
      for (; data === 0; );
      return new Promise((resolve) => setTimeout(resolve, 60e3));
    };
    return numbers(2, workerFn, { then });
  },

  "never loads"() {
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 3000);
    return numbers(1, () => 0);
  },

  async drains(how) {
    if (!isMaster()) {
      note("pids", process.pid);
      setTimeout(() => note("drained", process.pid), 5000);
    }
    const exits = [];
    if (isMaster()) cluster.on("exit", (_, code, by) => exits.push([code, by]));
    // Long enough for both to have some.
    const outcome = await numbers(8, ({ data }) => after(300).then(() => data));
    if (outcome === undefined) return undefined;
    if (how === "alone") process.kill(process.pid, "SIGKILL");
    while (exits.length < 2) await after(10);
    return { exits };
  },

  large: () => {
    const text = (length) => "ä".repeat(length / 2);
    return MapReduce(
      async (queue) => {
        for (let n = 0; n < 4; n++) await Map(queue, { data: text(5e6) + n });
      },
      [({ data }) => `${data}!`],
      (results) =>
        results.getElements().map(({ data, response }) => [data.length, response.slice(-2)]),
      { numWorkers: 2 },
    );
  },

  binary: () =>
    MapReduce(
      async (queue) => {
        for (let n = 0; n < 4; n++) await Map(queue, { data: Buffer.alloc(5e6, n) });
      },
      [({ data }) => Buffer.concat([data, Buffer.from("!")])],
      (results) =>
        results
          .getElements()
          .map(({ data, response }) => [data[7], Buffer.isBuffer(response), response.length]),
      { numWorkers: 2 },
      { serialization: "advanced" },
    ),

  late: () =>
    sums(
      2,
      ({ data }) => {
        if (data === 1) grandchild();
        for (; data === 1; );
        return data;
      },
      { numWorkers: 1, options: { taskTimeout: 1500 } },
    ),

  async piped() {
    setup({ silent: true });
    console.log("began");
    const heard = [];
    if (isMaster()) {
      cluster.on("fork", ({ process: { stdout, stderr } }) => {
        stdout.setEncoding("utf8").on("data", (text) => heard.push(text));
        stderr.setEncoding("utf8").on("data", (text) => heard.push(text));
      });
    }
    const outcome = await numbers(2, ({ data }) => {
      if (data === 1) console.error("an error");
      return data;
    });
    if (outcome === undefined) return undefined;
    while (heard.join("").length < "began\nbegan\nan error\n".length) await after(10);
    return heard.join("").trim().split(/\r?\n/).sort();
  },

  async inherits() {
    if (!isMaster()) fs.writeSync(1, `worker ${cluster.worker.id}\n`);
    const outcome = await numbers(2, ({ data }) => data);
    return outcome && outcome.results.length;
  },

  async "writes into files"() {
    if (isMaster())
      setup({
        stdio: [
          "ignore",
          fs.openSync("said.1.log", "w"),
          fs.openSync("complained.1.log", "w"),
          "ipc",
        ],
      });
    else console.log("began");
    const outcome = await numbers(2, ({ data }) => {
      if (data === 1) console.error("an error");
      return data;
    });
    return outcome && outcome.results.length;
  },

  surroundings: () =>
    MapReduce(
      (queue) => Map(queue, { data: 0 }),
      [
        () => [
          process.env.SONIC_TEXT,
          process.argv.slice(2),
          process.cwd() === fs.realpathSync("."),
          process.execArgv,
        ],
      ],
      (results) => results.dequeue().response,
      { numWorkers: 1 },
    ),

  async "as another user"() {
    setup({ uid: 1 });
    try {
      await numbers(1, () => 0);
    } catch ({ code, message }) {
      return { code, message };
    }
  },

  grows: async () => {
    const outcome = await numbers(
      4,
      async ({ data }) => {
        if (data === 0) globalThis.kept = Buffer.alloc(400e6, 1);
        await after(300);
        return process.pid;
      },
      { numWorkers: 1, options: { maxWorkerMemory: 300e6 } },
    );
    return outcome && new Set(outcome.results.map(({ response }) => response)).size;
  },

  async listens() {
    const told = [];
    if (isMaster()) cluster.on("listening", ({ id }, { port }) => told.push([id, port > 0]));
    const outcome = await numbers(2, async ({ data }) => {
      const server = net.createServer();
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      await after(500);
      server.close();
      return data;
    });
    return outcome && { told: told.length, results: outcome.results.length };
  },

  /** Which of these processes there are. */
  alive: (...pids) => {
    const isAlive = (pid) => {
      try {
        return process.kill(Number(pid), 0);
      } catch {
        return false;
      }
    };
    return Promise.resolve(pids.filter(isAlive));
  },
};

PROGRAMS[name](...args).then(
  (outcome) => {
    if (isMaster()) console.log(JSON.stringify(outcome));
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
