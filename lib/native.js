"use strict";
// Loads the native core when it is first needed, and the numbers of its wire.

const { variable } = require("./own");

/** @typedef {typeof import("../native")} Native */

/** @type {Native | undefined} */
let loaded;
/** @type {import("../native").Wire | undefined} */
let numbers;

/**
 * Where the binary is, on the platforms that have one: beside a build, or a package of its own. The generated
 * loader knows many more, and takes several times as long.
 * @type {Record<string, string[]>}
 */
const BINARIES = {
  "linux-x64": ["../sonic-distribute.linux-x64-gnu.node", "@tiemma/sonic-distribute-linux-x64-gnu"],
  "win32-x64": ["../sonic-distribute.win32-x64-msvc.node", "@tiemma/sonic-distribute-win32-x64-msvc"],
  "linux-arm64": [
    "../sonic-distribute.linux-arm64-gnu.node",
    "@tiemma/sonic-distribute-linux-arm64-gnu",
  ],
};

/** The variable that tells a worker where its master found the binary, for which copy of this package. */
const VARIABLE = "SONIC_DISTRIBUTE_BINARY";

/** The native core's functions. */
function native() {
  if (loaded === undefined) loaded = known() || load();
  return loaded;
}

/**
 * The binary from where it is expected; undefined if it is not there, or the loader is told otherwise.
 * @returns {Native | undefined}
 */
function known() {
  const { env, platform, arch } = process;
  if (Object.keys(env).some((name) => name.startsWith("NAPI_RS_"))) return undefined;
  const places = [...told(), ...(BINARIES[`${platform}-${arch}`] || [])];
  for (const place of places) {
    try {
      return require(place);
    } catch (_) {
      // Another place, then.
    }
  }
  return undefined;
}

/** What the master told, if it runs the same copy of this package. */
function told() {
  const text = variable(VARIABLE);
  if (text === undefined) return [];
  // Children of this process are no workers.
  delete process.env[VARIABLE];
  const [home, place] = JSON.parse(text);
  return home === __dirname ? [place] : [];
}

/** What to tell a worker: the variable and its value, or nothing if the binary's file is not known. */
function tell() {
  const core = native();
  const { cache } = require;
  const places = Object.keys(cache || {}).filter((name) => name.endsWith(".node"));
  const place = places.find((name) => cache[name]?.exports === core);
  return place === undefined ? [] : [VARIABLE, JSON.stringify([__dirname, place])];
}

/** Which C library this Node is linked with, where there are two. */
function libc() {
  if (process.platform !== "linux" || !process.report) return "";
  const { header } = /** @type {any} */ (process.report.getReport());
  return header.glibcVersionRuntime ? `, glibc ${header.glibcVersionRuntime}` : ", musl";
}

/** @returns {Native} */
function load() {
  try {
    return require("../native.js");
  } catch (error) {
    throw Object.assign(
      new Error(
        `@tiemma/sonic-distribute has no native binary for ${process.platform}-${process.arch}${libc()} ` +
          `(Node ${process.version}) here. There are binaries for ${Object.keys(BINARIES).join(", ")}, ` +
          "all with glibc. If this is one of them, reinstall without --no-optional / --omit=optional, on " +
          "the platform that runs it; if it is not, build it from source: " +
          "https://github.com/tiemma/sonic-distribute#building. " +
          `The loader said: ${error instanceof Error ? error.message : error}`,
      ),
      { code: "ERR_SONIC_NO_BINARY", cause: error },
    );
  }
}

/** The wire's numbers. */
function wire() {
  if (numbers === undefined) numbers = native().wire();
  return numbers;
}

module.exports = { libc, native, tell, wire };
