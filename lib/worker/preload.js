"use strict";
// Loaded before the program in workers whose master runs under ts-node: gives ts-node the master's output for files that have not
// changed. It compiles and checks all others.

const { readFileSync } = require("fs");
const { SERVICE, VARIABLE } = require("../shared/compiled");
const { variable } = require("../shared/own");
const { JSON, Map } = require("../shared/primordials");

/** @typedef {{ code: string, output: string }} Compiled */

const source = variable(VARIABLE);
delete process.env[VARIABLE];
// The program's own children take over this process's options, and need none of this.
if (process.execArgv[1] === __filename) process.execArgv.splice(0, 2);
if (source !== undefined) whenRegistered(source);

/** Waits for ts-node's service. @param {string} source */
function whenRegistered(source) {
  Object.defineProperty(process, SERVICE, {
    configurable: true,
    enumerable: true,
    get: () => undefined,
    set(service) {
      const plain = { value: service, configurable: true, enumerable: true, writable: true };
      Object.defineProperty(process, SERVICE, plain);
      if (!service || typeof service.compile !== "function") return;
      const compiled = read(source);
      if (compiled !== undefined && mapPositions(compiled)) provide(service, compiled);
    },
  });
}

/** @param {any} service @param {globalThis.Map<string, Compiled>} compiled */
function provide(service, compiled) {
  const { compile } = service;
  /** Files that the compiler has not seen yet: it must see them before a new one.
   * @type {[string, string][]} */
  let unseen = [];
  /** @param {string} code @param {string} file @param {any[]} rest */
  function compileUnlessKnown(code, file, ...rest) {
    const known = rest.length === 0 ? compiled.get(file) : undefined;
    if (known !== undefined && known.code === code) {
      unseen.push([code, file]);
      return known.output;
    }
    const before = unseen;
    unseen = [];
    for (const [code, file] of before) Reflect.apply(compile, service, [code, file]);
    return Reflect.apply(compile, service, [code, file, ...rest]);
  }
  service.compile = compileUnlessKnown;
}

/** @param {string} source @returns {globalThis.Map<string, Compiled> | undefined} */
function read(source) {
  try {
    return new Map(JSON.parse(readFileSync(source, "utf8")));
  } catch (_) {
    // The master has exited, or its file may not be read: ts-node compiles everything.
    return undefined;
  }
}

/**
 * Maps positions in stack traces to the sources, as ts-node does for its own output. False if that fails.
 * @param {globalThis.Map<string, Compiled>} compiled
 */
function mapPositions(compiled) {
  try {
    const support = sourceMapSupport();
    if (support === undefined) return false;
    support.install({
      environment: "node",
      /** @param {string} file */
      retrieveFile(file) {
        const known = compiled.get(
          file.startsWith("file:") ? require("url").fileURLToPath(file) : file,
        );
        return known === undefined ? "" : known.output;
      },
    });
    return true;
  } catch (_) {
    return false;
  }
}

/**
 * The module by which ts-node itself maps positions: `@cspotcode/source-map-support` since 10.2,
 * `source-map-support` before. Other modules may have loaded either for their own files.
 * @returns {any}
 */
function sourceMapSupport() {
  const { cache } = require;
  const tsNode = Object.keys(cache).find((file) =>
    /[\\/]ts-node[\\/]dist[\\/]index\.js$/.test(file),
  );
  if (tsNode === undefined) return undefined;
  return cache[tsNode]?.children.find(({ filename }) =>
    /[\\/]source-map-support[\\/]source-map-support\.js$/.test(filename),
  )?.exports;
}
