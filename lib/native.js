"use strict";
// Loads the native core when it is first needed, and the numbers of its wire.

const { existsSync } = require("fs");
const { coded } = require("./errors");
const { variable } = require("./own");
const { hasOption } = require("./permission");

/** @typedef {typeof import("../native")} Native */

/** @type {Native | undefined} */
let loaded;
/** @type {import("../native").Wire | undefined} */
let numbers;
/**
 * What Node has said where it may not load the binary.
 * @type {any}
 */
let refused;

/** The codes of that. */
const REFUSALS = ["ERR_DLOPEN_DISABLED", "ERR_ACCESS_DENIED"];

/**
 * The platforms that have a binary, by the names of their packages, and what else is needed to tell which. The
 * generated loader knows many more, and takes several times as long.
 * @type {Record<string, string[]>}
 */
const BINARIES = {
  "linux-x64": ["linux-x64-gnu", "linux-x64-musl"],
  "linux-arm64": ["linux-arm64-gnu", "linux-arm64-musl"],
  "darwin-x64": ["darwin-x64"],
  "darwin-arm64": ["darwin-arm64"],
  "win32-x64": ["win32-x64-msvc"],
};

/**
 * Where musl's loader is, on every system that has one.
 * @type {Record<string, string>}
 */
const MUSL = { x64: "/lib/ld-musl-x86_64.so.1", arm64: "/lib/ld-musl-aarch64.so.1" };

/** The variable that tells a worker where its master found the binary, for which copy of this package. */
const VARIABLE = "SONIC_DISTRIBUTE_BINARY";

/** Loads the core now, if that can be had. What is wrong with it is told at the first call. */
function preload() {
  if (loaded === undefined) loaded = known();
}

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
  // In any case: what the program starts itself is not to be told.
  const place = told();
  if (Object.keys(process.env).some((name) => name.startsWith("NAPI_RS_"))) return undefined;
  return from(place) || from(places());
}

/**
 * @param {string[]} places
 * @returns {Native | undefined}
 */
function from(places) {
  for (const place of places) {
    try {
      return require(place);
    } catch (error) {
      // Another place, then.
      const { code } = Object(error);
      if (REFUSALS.includes(code)) refused = error;
    }
  }
  return undefined;
}

/** Where a binary may be, best first: beside a build, or in a package of its own. */
function places() {
  const names = (BINARIES[`${process.platform}-${process.arch}`] || []).slice();
  // A binary for musl never loads where Node is linked with glibc, one for glibc may where it is not. So which
  // it is need not be asked, which takes longer.
  if (names.length > 1 && isThere(MUSL[process.arch])) names.reverse();
  return names.flatMap((name) => [
    `../sonic-distribute.${name}.node`,
    `@tiemma/sonic-distribute-${name}`,
  ]);
}

/** @param {string} file */
function isThere(file) {
  try {
    return existsSync(file);
  } catch (_) {
    // This process may not look.
    return false;
  }
}

/** What the master told, if it runs the same copy of this package. */
function told() {
  const text = variable(VARIABLE);
  if (text === undefined) return [];
  // Children of this process are no workers.
  delete process.env[VARIABLE];
  const [home, place] = text.split("\n");
  return home === __dirname ? [place] : [];
}

/** What to tell a worker: the variable and its value, or nothing if the binary's file is not known. */
function tell() {
  const core = native();
  const { cache } = require;
  const places = Object.keys(cache || {}).filter((name) => name.endsWith(".node"));
  const place = places.find((name) => cache[name]?.exports === core);
  return place === undefined ? [] : [VARIABLE, `${__dirname}\n${place}`];
}

/** Which C library this Node is linked with, where there are two. */
function libc() {
  if (process.platform !== "linux" || !process.report) return "";
  const { header } = /** @type {any} */ (process.report.getReport());
  return header.glibcVersionRuntime ? `, glibc ${header.glibcVersionRuntime}` : ", musl";
}

/** What keeps this process from loading the binary, and what to do. */
function refusal() {
  const { code, message, resource } = refused;
  return Object.assign(
    coded(
      Error,
      "ERR_SONIC_PERMISSION",
      `@tiemma/sonic-distribute cannot load its native binary: ${wayOut(code, resource)}. Node said: ${message}`,
    ),
    { cause: refused },
  );
}

/**
 * @param {string} code
 * @param {string | undefined} resource
 */
function wayOut(code, resource) {
  if (code === "ERR_ACCESS_DENIED") {
    return (
      `Node's permission model is on, and this process may not read ${resource || "its file"}. ` +
      "Add --allow-fs-read with its folder to the options of Node"
    );
  }
  if (hasOption(/^--no-addons$/)) return "Node was started with --no-addons. Take that option away";
  return (
    "Node's permission model is on, without --allow-addons. " +
    "Add --allow-addons --allow-child-process to the options of Node"
  );
}

/** @returns {Native} */
function load() {
  if (refused !== undefined) throw refusal();
  try {
    return require("../native.js");
  } catch (error) {
    throw Object.assign(
      new Error(
        `@tiemma/sonic-distribute has no native binary for ${process.platform}-${process.arch}${libc()} ` +
          `(Node ${process.version}) here. There are binaries for ${Object.keys(BINARIES).join(", ")}, ` +
          "on Linux with glibc or musl. If this is one of them, reinstall without --no-optional / " +
          "--omit=optional, on the platform that runs it; if it is not, build it from source: " +
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

module.exports = { libc, native, preload, tell, wire };
