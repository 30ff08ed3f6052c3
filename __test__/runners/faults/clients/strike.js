"use strict";
// The client's side of a cell: does the fault to its own process or connection, at its moment. It must be loaded before the
// package, whose socket it keeps.
const fs = require("fs");
const net = /** @type {any} */ (require("net"));
const { cell } = require("../pools/arm");
const { mark, seen } = require("../../../support/program");

const { fault, moment, ofPool } = cell;

/** The package's socket, and how it writes. @type {{ socket: any, write: (bytes: Buffer, done?: () => void) => void }} */
let connection;

const forEver = () => {
  for (;;);
};

const kill = (signal) => process.kill(process.pid, signal);

/** The length of a frame that does not come to its end. */
const HALF = Buffer.from([0, 4, 0, 0, 200, 0, 0, 0, 1, 2, 3, 4]);

const FAULTS = {
  SIGKILL: () => kill("SIGKILL"),
  SIGSTOP: () => kill("SIGSTOP"),
  "exit 0": () => process.exit(0),
  "exit 7": () => process.exit(7),
  // Nobody catches it there.
  throw: () =>
    process.nextTick(() => {
      throw new Error("the fault");
    }),
  "out of memory": () => {
    for (const hog = []; ; ) hog.push(new Array(100000).fill(hog.length + 0.5));
  },
  "endless loop": forEver,
  "closes its socket": () => connection.socket.destroy(),
  "ends its stream and loops": () => connection.socket.end(forEver),
  "garbage frame": () => connection.write(Buffer.alloc(4096, 255)),
  "half a frame": () => connection.write(HALF, () => kill("SIGKILL")),
};

function strike() {
  fs.writeFileSync("struck", "");
  FAULTS[fault]();
}

/** The fault, when it is its time; or that of the pool is due. */
async function due() {
  await seen("strike");
  if (!ofPool) strike();
}

/** Before the client has said who it is, it is silent; or it is struck when it has. */
function enter(socket) {
  connection = { socket, write: socket.write.bind(socket) };
  if (moment === "before the hello") {
    socket.write = () => true;
    socket.once("data", () => {
      mark("ready");
      due();
    });
  }
  if (moment === "connecting") {
    const uncork = socket.uncork.bind(socket);
    socket.uncork = () => {
      socket.uncork = uncork;
      uncork();
      strike();
    };
  }
  return socket;
}

/** The package's socket is to be struck. */
function arm() {
  const { connect } = net;
  net.connect = (/** @type {any[]} */ ...args) => enter(connect(...args));
}

module.exports = { arm, due };
