"use strict";
// Loads the native core and the numbers of its wire. In a bundle the binary lies beside the program, where a variable says, or where
// the bundler has put it.

const { existsSync } = require("fs");
const path = require("path");
const { coded } = require("./errors");
const { HOME, isBundled, load, program } = require("./home");
const { variable } = require("./own");
const { hasOption } = require("./permission");
const { Set } = require("./primordials");

/** @typedef {typeof import("../../native")} Native */

/** @type {Native | undefined} */
let loaded;
let isTried = false;
/** @type {import("../../native").Wire | undefined} */
let numbers;

/** The codes of Node's errors when it refuses to load the binary. */
const REFUSALS = ["ERR_DLOPEN_DISABLED", "ERR_ACCESS_DENIED"];

/**
 * The packages with a binary for each platform. The generated loader knows many more, and takes several times as long.
 * @type {Record<string, string[]>}
 */
const BINARIES = {
  "linux-x64": ["linux-x64-gnu", "linux-x64-musl"],
  "linux-arm64": ["linux-arm64-gnu", "linux-arm64-musl"],
  "darwin-x64": ["darwin-x64"],
  "darwin-arm64": ["darwin-arm64"],
  "win32-x64": ["win32-x64-msvc"],
};

/** The path of musl's loader, on every system that has one. @type {Record<string, string>} */
const MUSL = { x64: "/lib/ld-musl-x86_64.so.1", arm64: "/lib/ld-musl-aarch64.so.1" };

/** The variable by which a user names the binary; the generated loader reads it too. */
const LIBRARY = "NAPI_RS_NATIVE_LIBRARY_PATH";

/** The variable that tells a worker which copy of this package found which binary in the master. */
const VARIABLE = "SONIC_DISTRIBUTE_BINARY";

/** Why no binary was loaded, for each path that was tried. @type {unknown[]} */
const failures = [];

/**
 * Loads the core now, if it can. The first call reports what is wrong, without another try: a module that has thrown may be an
 * empty object the second time.
 */
function preload() {
  if (!isTried) loaded = known();
  isTried = true;
}

/** The native core's functions. */
function native() {
  preload();
  if (loaded === undefined) loaded = generated();
  return loaded;
}

/**
 * The binary from its usual place; undefined if it is not there, or napi's variables name another.
 * @returns {Native | undefined}
 */
function known() {
  // In any case, because programs that this one starts must not see the variable.
  const place = told();
  // A bundle has no generated loader.
  if (isBundled && variable(LIBRARY) !== undefined) return from([String(variable(LIBRARY))]);
  if (!isBundled && Object.keys(process.env).some((name) => name.startsWith("NAPI_RS_"))) {
    return undefined;
  }
  return from(place) || installed();
}

/** @param {string[]} places @returns {Native | undefined} */
function from(places) {
  for (const place of places) {
    try {
      return load(place);
    } catch (error) {
      // The next one may do.
      failures.push(error);
    }
  }
  return undefined;
}

/** The binary beside a build or a bundle, or from a package of its own. */
function installed() {
  for (const name of names()) {
    const files = folders().map((folder) => path.join(folder, fileOf(name)));
    // In a bundle of ES modules the literal names may not be resolvable.
    const inModules = isBundled ? [`@tiemma/sonic-distribute-${name}`] : [];
    const found = from(files) || packaged(name) || from(inModules);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The binaries that this platform may load, best first. */
function names() {
  const names = (BINARIES[`${process.platform}-${process.arch}`] || []).slice();
  // A binary for musl never loads where Node is linked with glibc; one for glibc may load under musl. To ask Node which
  // it is takes longer.
  if (names.length > 1 && isThere(MUSL[process.arch])) names.reverse();
  return names;
}

/** @param {string} name */
const fileOf = (name) => `sonic-distribute.${name}.node`;

/** The folders for a binary without a package of its own. */
function folders() {
  return isBundled ? [...new Set([HOME, path.dirname(program())])] : [path.dirname(HOME)];
}

/**
 * The binary from its package. Bundlers find the installed one by the literal names, and `try` has them ignore the others.
 * @param {string} name
 * @returns {Native | undefined}
 */
function packaged(name) {
  try {
    switch (name) {
      case "linux-x64-gnu":
        return require("@tiemma/sonic-distribute-linux-x64-gnu");
      case "linux-x64-musl":
        return require("@tiemma/sonic-distribute-linux-x64-musl");
      case "linux-arm64-gnu":
        return require("@tiemma/sonic-distribute-linux-arm64-gnu");
      case "linux-arm64-musl":
        return require("@tiemma/sonic-distribute-linux-arm64-musl");
      case "darwin-x64":
        return require("@tiemma/sonic-distribute-darwin-x64");
      case "darwin-arm64":
        return require("@tiemma/sonic-distribute-darwin-arm64");
      case "win32-x64-msvc":
        return require("@tiemma/sonic-distribute-win32-x64-msvc");
    }
  } catch (error) {
    failures.push(error);
  }
  return undefined;
}

/** @param {string} file */
function isThere(file) {
  try {
    return existsSync(file);
  } catch (_) {
    // This process may not read there.
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
  return home === HOME ? [place] : [];
}

/** What to tell a worker: the variable and its value, or nothing if the binary's file is not known. */
function tell() {
  const core = native();
  const { cache } = load;
  const places = Object.keys(cache).filter((name) => name.endsWith(".node"));
  const place = places.find((name) => cache[name]?.exports === core);
  return place === undefined ? [] : [VARIABLE, `${HOME}\n${place}`];
}

/** Which C library this Node is linked with, where there are two. */
function libc() {
  if (process.platform !== "linux" || !process.report) return "";
  const { header } = /** @type {any} */ (process.report.getReport());
  return header.glibcVersionRuntime ? `, glibc ${header.glibcVersionRuntime}` : ", musl";
}

/** What keeps this process from loading the binary, and what to do. @param {any} refused */
function refusal(refused) {
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

/** @param {string} code @param {string | undefined} resource */
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
function generated() {
  const refused = failures.find((error) => REFUSALS.includes(Object(error).code));
  if (refused !== undefined) throw refusal(refused);
  if (isBundled) throw noBinary(inBundle(), failures[0]);
  try {
    return load(path.join(path.dirname(HOME), "native.js"));
  } catch (error) {
    throw noBinary(
      `here. There are binaries for ${Object.keys(BINARIES).join(", ")}, ` +
        "on Linux with glibc or musl. If this is one of them, reinstall without --no-optional / " +
        "--omit=optional, on the platform that runs it; if it is not, build it from source: " +
        "https://github.com/tiemma/sonic-distribute#building. " +
        `The loader said: ${textOf(error)}`,
      error,
    );
  }
}

/** What to do in a bundle, which may run elsewhere than it was made. */
function inBundle() {
  const [name] = names();
  const folder = path.dirname(program());
  const file = name === undefined ? "the binary" : fileOf(name);
  const source = name === undefined ? "" : ` from the package @tiemma/sonic-distribute-${name}`;
  const tried = failures.map(textOf).join("; ");
  return (
    `in this bundle. Copy ${file}${source} into ${folder}, or name the file in the variable ${LIBRARY}: ` +
    `https://github.com/tiemma/sonic-distribute/blob/HEAD/docs/bundlers.md. What was tried: ${tried}`
  );
}

/** @param {string} advice @param {unknown} cause */
function noBinary(advice, cause) {
  const error = new Error(
    `@tiemma/sonic-distribute has no native binary for ${process.platform}-${process.arch}${libc()} ` +
      `(Node ${process.version}) ${advice}`,
  );
  return Object.assign(error, { code: "ERR_SONIC_NO_BINARY", cause });
}

/** @param {unknown} error */
const textOf = (error) =>
  // Node adds a list of the files that required it.
  error instanceof Error ? error.message.split("\nRequire stack:")[0] : String(error);

/** The wire's numbers. */
function wire() {
  if (numbers === undefined) numbers = native().wire();
  return numbers;
}

module.exports = { libc, native, preload, tell, wire };
