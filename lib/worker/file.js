"use strict";
// A worker that runs a pool's worker file, and not the program: Node starts the file as it starts any program, and this registers what
// it exports. Tells the master why there is nothing to register.

const { pathToFileURL } = require("url");
const { coded } = require("../shared/errors");
const { nameFor } = require("../shared/identity");
const { setImmediate } = require("../shared/primordials");
const { pointAt, siteOf } = require("../shared/stack");
const { NO_STAGE, stagesOf, threw, wrongFile } = require("../shared/stages");

/** @typedef {InstanceType<typeof import("./runner").Runner>} Runner */

/** Why a file may end before it has loaded. */
const EXITS = "it calls process.exit, or an await at its top never settles";

/** @param {Runner} self @returns {string | undefined} the file, if this worker runs one */
const fileOf = (self) => self.search.wanted.identity.file;

/** Node runs the file next: registers its exports once it has. @param {Runner} self */
function serveFile(self) {
  process.on("uncaughtExceptionMonitor", (error) =>
    refuse(self, threw(error, String(fileOf(self)))),
  );
  process.on("exit", (code) => refuse(self, `ended with code ${code} while it loaded: ${EXITS}`));
  setImmediate(register, self);
}

/** @param {Runner} self */
async function register(self) {
  /** @type {unknown} */
  let exported;
  try {
    exported = await exportsOfMain();
  } catch (_) {
    // Node ends this process by the same error.
    return;
  }
  const stages = stagesOf(exported);
  if (Object.keys(stages).length === 0) return refuse(self, NO_STAGE);
  const { isClustered = false } = self.search.wanted;
  // Few masters have several machines.
  self.registerStages(isClustered ? require("./clustered").ofPool(stages, self) : stages);
}

/** What the program of this process exports: it has run then, an `await` at its top included. */
async function exportsOfMain() {
  // Node has started it before, and starts nothing twice.
  if (process.mainModule === undefined) {
    const { href } = pathToFileURL(process.argv[1]);
    const namespace = await import(/* webpackIgnore: true */ href);
    if (process.mainModule === undefined) return wholeOf(namespace);
  }
  return process.mainModule.exports;
}

/** `module.exports`, where a loader has made an ES module of a CommonJS one: all other exports are its properties then.
 * @param {Record<string, any>} namespace */
function wholeOf(namespace) {
  const { default: whole, "module.exports": _, ...named } = namespace;
  const isWhole = Object.keys(named).every((name) => Object(whole)[name] === named[name]);
  return isWhole ? whole : namespace;
}

/** @param {Runner} self @param {string} why */
function refuse(self, why) {
  if (self.registered || self.released) return;
  const { name, code, message } = wrongFile(String(fileOf(self)), why);
  self.native.workerRefuse(self.handle, name, code, message);
}

/**
 * Throws in a worker that runs a worker file: a call there would start workers again and again.
 * @param {Runner} self
 * @param {import("../shared/identity").Identity} identity
 */
function checkCall(self, identity) {
  if (fileOf(self) === undefined) return;
  const message =
    `${nameFor(identity)} is made in a worker file, which starts no workers of its own: it exports the stages, and the ` +
    "program makes the call";
  throw pointAt(coded(Error, "ERR_SONIC_NESTED_CALL", message), siteOf(checkCall));
}

module.exports = { checkCall, fileOf, serveFile };
