"use strict";
// Where a pool listens: the socket's path, and the file beside it with the token that a client has to know. Only the user who runs the
// pool can use either. Opens no connection but the one that tells whether somebody listens.

const { createHash, randomBytes, timingSafeEqual } = require("crypto");
const { chmodSync, lstatSync, readFileSync, renameSync, unlinkSync, writeFileSync } = require("fs");
const { connect } = require("net");
const { tmpdir, userInfo } = require("os");
const { join, resolve } = require("path");
const { coded, invalidRange, shown } = require("../shared/errors");
const { Buffer, Promise } = require("../shared/primordials");

const IS_WINDOWS = process.platform === "win32";

/** How the names of pipes begin there. */
const PIPE = "\\\\.\\pipe\\";

/** The most bytes of a socket's path: what the system has room for. */
const MOST_BYTES = process.platform === "linux" ? 107 : 103;

const TOKEN_BYTES = 32;

/** Files that only their owner reads and writes. */
const MODE = 0o600;

/** @typedef {{ address: string, token: string }} Door */

/** The socket and the token's file. Throws if the path is too long. @param {string} path @param {string} what it is, for the error @returns {Door} */
function doorAt(path, what) {
  if (IS_WINDOWS) return pipeAt(path);
  const address = resolve(path);
  const bytes = Buffer.byteLength(address);
  if (bytes <= MOST_BYTES) return { address, token: `${address}.token` };
  throw invalidRange(
    `${what} must be the path of a socket, which has at most ${MOST_BYTES} bytes, and ${shown(address)} has ${bytes}: ` +
      "use a shorter one, in the folder of os.tmpdir() for example",
  );
}

/** @param {string} path @returns {Door} */
function pipeAt(path) {
  const hash = createHash("sha256").update(path.toLowerCase()).digest("hex");
  const address = path.startsWith(PIPE) ? path : `${PIPE}sonic-distribute-${hash}`;
  return { address, token: join(tmpdir(), `sonic-distribute-${hash}.token`) };
}

/** Makes room for a socket: one that nobody listens on is removed. Throws if something else is there. @param {Door} door */
async function clear({ address }) {
  if (IS_WINDOWS) return;
  const before = lookAt(address);
  if (before === undefined) return;
  if (!before.isSocket())
    throw cannotListen(address, "there is another file", "name a path where there is none");
  const code = await codeOfConnect(address);
  if (code === undefined) throw isInUse(address);
  if (code !== "ECONNREFUSED" && code !== "ENOENT")
    throw cannotListen(address, `a socket is there that cannot be reached (${code})`, OTHER);
  // Somebody else may have replaced it meanwhile.
  if (lookAt(address)?.ino === before.ino) unlinkSync(address);
}

/** @param {string} address */
function lookAt(address) {
  try {
    return lstatSync(address);
  } catch (_) {
    return undefined;
  }
}

/** Why nobody answers; undefined if somebody does. @param {string} address @returns {Promise<string | undefined>} */
function codeOfConnect(address) {
  return new Promise((done) => {
    const socket = connect(address);
    socket.on("error", (error) => done(Reflect.get(error, "code")));
    socket.on("connect", () => {
      socket.destroy();
      done(undefined);
    });
  });
}

/**
 * Has a server listen there, and writes the token. Nobody is heard before both are done.
 * @param {import("net").Server} server
 * @param {Door} door
 * @returns {Promise<string>} the token
 */
function open(server, door) {
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  return new Promise((done, reject) => {
    const fail = (/** @type {any} */ error) =>
      reject(error.code === "EADDRINUSE" ? isInUse(door.address) : unable(door.address, error));
    server.once("error", fail);
    server.once("listening", () => {
      server.removeListener("error", fail);
      try {
        if (!IS_WINDOWS) chmodSync(door.address, MODE);
        writeToken(door.token, token);
        done(token);
      } catch (error) {
        server.close();
        reject(unable(door.address, error));
      }
    });
    // In a worker of a cluster it would be the cluster's.
    privately(() => server.listen({ path: door.address, exclusive: true }));
  });
}

/** What `make` creates is its owner's alone. @param {() => void} make */
function privately(make) {
  let before;
  try {
    before = process.umask(0o777 & ~MODE);
  } catch (_) {
    // A thread has none of its own: the mode is set a moment later.
  }
  try {
    make();
  } finally {
    if (before !== undefined) process.umask(before);
  }
}

/** Never half of it is there, nor readable by others. @param {string} file @param {string} token */
function writeToken(file, token) {
  const part = `${file}.${process.pid}`;
  remove(part);
  writeFileSync(part, token, { mode: MODE, flag: "wx" });
  renameSync(part, file);
}

/** Nothing is left of it. @param {Door} door */
function removeDoor({ address, token }) {
  if (!IS_WINDOWS) remove(address);
  remove(token);
}

/** @param {string} file */
function remove(file) {
  try {
    unlinkSync(file);
  } catch (_) {
    // It is gone already.
  }
}

/** Whether these are the same, in a time that tells nothing of where they differ. @param {unknown} given @param {string} token */
function isToken(given, token) {
  const one = createHash("sha256").update(String(given)).digest();
  return timingSafeEqual(one, createHash("sha256").update(token).digest());
}

/** Throws if the socket is none of this user. @param {Door} door */
function checkOwner({ address }) {
  if (IS_WINDOWS) return;
  const found = lookAt(address);
  if (found === undefined) throw cannotConnect(address, "there is no such socket", START);
  if (!found.isSocket()) throw cannotConnect(address, "it is a file and no socket", START);
  const { uid } = userInfo();
  if (found.uid !== uid)
    throw cannotConnect(address, `it belongs to another user (${found.uid}, not ${uid})`, SAME);
}

/** The token that the pool has written. @param {Door} door */
function tokenOf(door) {
  try {
    return readFileSync(door.token, "utf8");
  } catch (error) {
    const why = `its token ${door.token} cannot be read (${Object(error).code})`;
    throw Object.assign(cannotConnect(door.address, why, SAME), { cause: error });
  }
}

const OTHER = "name another path";
const START = "start the program first whose pool has this path as its option listen";
const SAME = "run both programs as the same user";

/** @param {string} address @param {string} why @param {string} advice */
const cannotListen = (address, why, advice) =>
  coded(
    Error,
    "ERR_SONIC_LISTEN",
    `options.listen: cannot listen on ${address}: ${why}: ${advice}`,
  );

/** @param {string} address */
const isInUse = (address) =>
  cannotListen(address, "somebody listens there already", `end that program, or ${OTHER}`);

/** @param {string} address @param {any} error */
const unable = (address, error) =>
  Object.assign(
    cannotListen(address, error.message, "name a path in a folder that this user may write to"),
    {
      cause: error,
    },
  );

/** @param {string} address @param {string} why @param {string} advice */
const cannotConnect = (address, why, advice) =>
  coded(Error, "ERR_SONIC_CONNECT", `connectPool: cannot connect to ${address}: ${why}: ${advice}`);

/** What a failed connection means. @param {string} address @param {any} error */
function notConnected(address, error) {
  const isNone = ["ENOENT", "ECONNREFUSED"].includes(error?.code);
  const why = isNone ? `nothing listens there (${error.code})` : String(error?.message);
  return Object.assign(cannotConnect(address, why, isNone ? START : SAME), { cause: error });
}

module.exports = {
  cannotConnect,
  checkOwner,
  clear,
  doorAt,
  isToken,
  notConnected,
  open,
  removeDoor,
  tokenOf,
};
