"use strict";
// The file that a pool's workers run in place of the program: where it is, and what runs it.

const { statSync } = require("fs");
const path = require("path");
const { fileURLToPath } = require("url");
const { invalidType, shown } = require("../shared/errors");
const { HOME, isBundled } = require("../shared/home");
const { wrongFile } = require("../shared/stages");

/**
 * The absolute path of the file.
 * @param {string | { href: string }} given as `createPool` got it
 */
function pathOf(given) {
  const file = typeof given === "string" ? given : given.href;
  const found = /^file:/i.test(file) ? pathOfUrl(file) : pathOfName(file);
  const problem = problemOf(found);
  if (problem === undefined) return found;
  const from = `a relative path starts at the current directory, ${process.cwd()}`;
  throw wrongFile(found, `${problem}; ${from}`);
}

/** @param {string} url */
function pathOfUrl(url) {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw invalidType(
      `createPool: ${shown(url)} is not the URL of a file: ${Object(error).message}`,
    );
  }
}

/** @param {string} name */
function pathOfName(name) {
  if (path.isAbsolute(name) || /^\.\.?[\\/]/.test(name)) return path.resolve(name);
  throw invalidType(
    "createPool: a worker file must be an absolute path, a path that starts with ./ or ../, or the URL of a file, " +
      `got ${shown(name)}`,
  );
}

/** Why Node cannot run it, if that is to be seen. @param {string} file */
function problemOf(file) {
  try {
    return statSync(file).isFile() ? undefined : "is not a file";
  } catch (error) {
    const { code, message } = Object(error);
    return code === "ENOENT" ? "does not exist" : `cannot be read (${message})`;
  }
}

/** What Node runs in a worker: a script that the file's path follows. @param {string} file */
function scriptsOf(file) {
  if (!isBundled) return [path.join(HOME, "worker", "start.js"), file];
  const way = "Leave @tiemma/sonic-distribute out of the bundle (external)";
  throw wrongFile(file, `needs the files of this package, which a bundle does not have. ${way}`);
}

module.exports = { pathOf, scriptsOf };
