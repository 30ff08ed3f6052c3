"use strict";
// TypeScript in workers. 1.0.3 loads ts-node and tsconfig-paths into every worker; this loads them when a worker first requires a
// `.ts` file that nothing else compiles.

const Module = require("module");
const path = require("path");
const { load } = require("../shared/home");

/** @type {Record<string, (module: NodeModule, filename: string) => any>} */
const extensions = /** @type {any} */ (Module)._extensions;

/** Costs nothing until the program requires a `.ts` file, or one that is not found. */
function compileWhenNeeded() {
  resolvePathsWhenNeeded();
  const before = extensions[".ts"];
  if (before !== undefined && !isNodesOwn()) return;
  extensions[".ts"] = function compile(module, filename) {
    if (before === undefined) delete extensions[".ts"];
    else extensions[".ts"] = before;
    if (before !== undefined) {
      try {
        return before(module, filename);
      } catch (error) {
        // Node only strips types: it has no enums, decorators and namespaces.
        if (!isUnsupported(error) || !registerTsNode(filename)) throw error;
      }
    } else if (!registerTsNode(filename)) {
      return extensions[".js"](module, filename);
    }
    return extensions[".ts"](module, filename);
  };
}

/** Loads tsconfig-paths when the program requires a name that is neither a file nor a package. */
function resolvePathsWhenNeeded() {
  /** @type {any} */
  const loader = Module;
  const before = loader._resolveFilename;
  loader._resolveFilename = function resolvePath(/** @type {any[]} */ ...args) {
    try {
      return Reflect.apply(before, this, args);
    } catch (error) {
      const isName = typeof args[0] === "string" && /^[^./]/.test(args[0]);
      if (!isName || /** @type {any} */ (error).code !== "MODULE_NOT_FOUND") throw error;
      // Once: the package wraps the same function.
      if (loader._resolveFilename === resolvePath) loader._resolveFilename = before;
      else throw error;
      if (!registerPaths([process.cwd()])) throw error;
      return Reflect.apply(loader._resolveFilename, this, args);
    }
  };
}

/** Whether Node itself loads `.ts` here. */
function isNodesOwn() {
  // @ts-expect-error: newer than the types
  return Boolean(process.features.typescript);
}

/** @param {any} error */
const isUnsupported = (error) =>
  Boolean(error) && error.code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";

/**
 * Loads ts-node, and tsconfig-paths where it is installed, as the file or the program would.
 * @param {string} filename
 */
function registerTsNode(filename) {
  const paths = [path.dirname(filename), process.cwd()];
  const tsNode = resolve("ts-node/register", paths);
  if (tsNode === undefined) return false;
  registerPaths(paths);
  load(tsNode);
  return true;
}

/** @param {string[]} paths */
function registerPaths(paths) {
  const tsconfigPaths = resolve("tsconfig-paths/register", paths);
  if (tsconfigPaths === undefined) return false;
  load(tsconfigPaths);
  return true;
}

/** @param {string} request @param {string[]} paths */
function resolve(request, paths) {
  try {
    return load.resolve(request, { paths });
  } catch (_) {
    return undefined;
  }
}

module.exports = { compileWhenNeeded };
