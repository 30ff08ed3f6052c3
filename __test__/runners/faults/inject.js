"use strict";
/**
 * The worker's side of a cell: does the fault, once in a program, at its moment. Faults below JavaScript go to the
 * descriptors that the package was given, as `__test__/fixtures/peer.js` describes them. It must be loaded before the package.
 */
const { spawn } = require("child_process");
const fs = require("fs");
const path = require("path");
const v8 = require("v8");
const { Worker } = require("worker_threads");

const VARIABLE = "SONIC_DISTRIBUTE_WORKER";
const invitation = process.env[VARIABLE] ? JSON.parse(process.env[VARIABLE]) : undefined;
/** Of the package's memory, opened anew: it closes its own descriptor. */
const memory = invitation ? fs.openSync(`/proc/self/fd/${invitation.memory}`, "r+") : -1;

/** Taken before the cell replaces it. */
const { parse } = JSON;
const { deserialize } = v8;
const cell = new Int32Array(new SharedArrayBuffer(4));
const wait = (milliseconds) => Atomics.wait(cell, 0, 0, milliseconds);
const waitForEver = () => wait(Infinity);
const error = () => new Error("the fault");

/** The answer ring: its words and bytes in the memory. */
const ANSWERS = { tail: 128 * 4, bytes: 4096 + 2 ** 20, size: 2 ** 20 };
const CHUNK = 3;

/** Moves the ring's tail behind a header and `there` bytes of the `length` that it speaks of. */
function push(kind, length, there) {
  const word = Buffer.alloc(4);
  fs.readSync(memory, word, 0, 4, ANSWERS.tail);
  const tail = word.readUInt32LE();
  const frame = Buffer.alloc(32 + there, "x");
  [length, kind, 0, length].forEach((value, at) => {
    frame.writeUInt32LE(value, at * 4);
  });
  for (const [at, byte] of frame.entries()) {
    fs.writeSync(memory, Buffer.of(byte), 0, 1, ANSWERS.bytes + ((tail + at) % ANSWERS.size));
  }
  word.writeUInt32LE((tail + frame.length) >>> 0);
  fs.writeSync(memory, word, 0, 4, ANSWERS.tail);
}

/** A frame of the control socket: `there` bytes of the `length` that it speaks of. */
function send(kind, length, there) {
  const frame = Buffer.alloc(5 + there, "x");
  frame.writeUInt32LE(length);
  frame[4] = kind;
  fs.writeSync(invitation.control, frame);
}

/** Rings, so that the master looks. */
const ring = () => send(0, 1, 0);

/** Ends the socket's stream, from a thread of its own: this one is to stay where it is. */
function closeSocket() {
  const closed = new Int32Array(new SharedArrayBuffer(4));
  const code = `
    const { control, closed } = require("worker_threads").workerData;
    const socket = new (require("net").Socket)({ fd: control, readable: false, allowHalfOpen: true });
    socket.end(() => { Atomics.store(closed, 0, 1); Atomics.notify(closed, 0); });`;
  new Worker(code, { eval: true, workerData: { control: invitation.control, closed } });
  Atomics.wait(closed, 0, 0);
}

/** A signal to oneself may find another thread first. */
const kill = (signal) => {
  process.kill(process.pid, signal);
  waitForEver();
};

const killMaster = () => process.kill(invitation.parent, "SIGKILL");

const FAULTS = {
  throw: () => {
    throw error();
  },
  reject: () => Promise.reject(error()),
  "exit 0": () => process.exit(0),
  "exit 7": () => process.exit(7),
  SIGKILL: () => kill("SIGKILL"),
  SIGSEGV: () => kill("SIGSEGV"),
  "out of memory": () => {
    for (const hog = []; ; ) hog.push(new Array(100000).fill(hog.length + 0.5));
  },
  SIGSTOP: () => kill("SIGSTOP"),
  "endless loop": () => {
    for (;;);
  },
  "uncaught on next tick": () => {
    process.nextTick(() => {
      throw error();
    });
  },
  "closes its socket"() {
    closeSocket();
    waitForEver();
  },
  "garbage frame": (moment) => {
    if (moment === "answer half written") {
      push(77, 8, 8);
      ring();
    } else send(99, 1, 0);
    waitForEver();
  },
  "half a frame": (moment) => {
    if (moment === "answer half written") {
      push(CHUNK, 1000, 8);
      ring();
    } else send(4, 60_000, 8);
    waitForEver();
  },
  "kills the master": () => killMaster(),
  "kills the master and loops": () => {
    killMaster();
    for (;;);
  },
  "kills the master and stops": () => {
    const stopped = `until grep -q "^State:.T" /proc/${process.pid}/status; do :; done`;
    spawn("sh", ["-c", `${stopped}; kill -KILL ${invitation.parent}`], { stdio: "ignore" });
    kill("SIGSTOP");
  },
};

/** Faults after which the worker writes no other answer: with these, half a one is there. */
const isLast = (fault) => !["throw", "reject", "uncaught on next tick"].includes(fault);

/**
 * @param {{ fault: string, moment: string }} cell
 * @param {(data: any) => boolean} isFatal whether the fault strikes the event with this data
 * @param {() => void} [tell] is called just before the fault strikes
 */
function arm({ fault, moment }, isFatal, tell = () => {}) {
  const strike = (now) => {
    if (invitation === undefined || now !== moment || !isFirst()) return undefined;
    tell();
    return FAULTS[fault](moment);
  };
  const isVictim = invitation !== undefined && invitation.worker === 1;

  /** Something goes wrong while the event's data is decoded. */
  const spy = (decode) =>
    function decodeSome(...args) {
      const value = decode(...args);
      if (value !== null && typeof value === "object" && isFatal(value)) strike("event decode");
      return value;
    };
  if (invitation !== undefined && moment === "event decode") {
    JSON.parse = spy(parse);
    v8.deserialize = spy(deserialize);
  }
  if (isVictim) process.once("disconnect", () => strike("shutdown"));

  return {
    /** At a moment that the program knows of. */
    strike,
    /** While the program is loaded, or between its hello and its call. */
    begin: (now) => isVictim && strike(now),
    run: () => strike("run"),
    /** A response that is not written to its end. */
    response: (n) => ({
      n,
      text: "x".repeat(1000),
      get rest() {
        if (moment === "answer half written" && isLast(fault) && !isDone()) push(CHUNK, 1000, 1000);
        strike("answer half written");
        return "the rest";
      },
    }),
    /** When nothing runs here, and the master says so. */
    idle: () => {
      if (moment !== "idle") return;
      const timer = setInterval(() => {
        if (!fs.existsSync(path.resolve("all-answered"))) return;
        clearInterval(timer);
        strike("idle");
      }, 5);
    },
  };
}

const isDone = () => fs.existsSync("struck");

/** Whether the fault has not struck in any process of the program yet: from now on it has. */
function isFirst() {
  try {
    fs.closeSync(fs.openSync("struck", "wx"));
    return true;
  } catch (thrown) {
    if (thrown.code !== "EEXIST") throw thrown;
    return false;
  }
}

module.exports = {
  arm,
  isDone,
  isWorker: invitation !== undefined,
  kill,
  worker: invitation?.worker,
};
