"use strict";
// A worker's membership: joins the master while this package loads, and decides which of the program's calls it serves.
// The rest of the process is the program's own.

const channel = require("./channel");
const { reportExits } = require("./exit");
const { checkCall, fileOf, serveFile } = require("./file");
const { Runner } = require("./runner");
const { Search } = require("./search");
const { compileWhenNeeded } = require("./typescript");
const cluster = require("../shared/cluster");
const copies = require("../shared/copies");
const { invalidType, shown } = require("../shared/errors");
const { passForeign } = require("../shared/host");
const { isFlow, otherFlow } = require("../shared/flow/given");
const { isStages } = require("../shared/identity");
const { native } = require("../shared/native");
const { variable } = require("../shared/own");
const { JSON, nextTick, setTimeout } = require("../shared/primordials");
const { pointAt, siteOf } = require("../shared/stack");

/**
 * Milliseconds after which a call that is most likely the worker's own is served, though the program still runs: longer
 * than it takes to get from one call to the next.
 */
const SETTLED = 3000;

/** The variable that makes a process a worker; see `VARIABLE` in src/wire/protocol.rs. */
const VARIABLE = "SONIC_DISTRIBUTE_WORKER";

/**
 * A call that the program has reached; a pool has stages.
 * @typedef {import("./search").Reached & { workerFns: any, args: any, stages?: any }} Call
 */

/** @typedef {InstanceType<typeof Runner>} ARunner */

/** What this process runs, if a master of this package started it. @type {ARunner | undefined} */
let self;

/** Joins the master. Called once, while this package loads. */
function join() {
  self = copies.joinedBefore();
  const invitation = variable(VARIABLE);
  if (invitation === undefined || !cluster.isWorker || copies.isForAnother()) return;
  // Children of this process are no workers.
  delete process.env[VARIABLE];
  copies.forget();
  const core = native();
  const handle = core.workerJoin(invitation, (why) => self?.wake(why));
  // The master ended before this process got here.
  if (handle === null) process.exit(1);
  const joined = new Runner(handle, new Search(JSON.parse(core.workerCall(handle))));
  self = joined;
  copies.joins(joined);
  channel.adapt(joined);
  reportExits(joined);
  compileWhenNeeded();
  if (fileOf(joined) !== undefined) serveFile(joined);
  // When the program's own listeners have had their turn.
  else process.once("beforeExit", () => nextTick(endSearch, joined));
}

/**
 * The program has reached a call: the one that this worker was started for, or another, which it passes by.
 * @param {any} workerFns
 * @param {any} args
 * @param {import("../shared/identity").Identity} identity
 */
function serve(workerFns, args, identity) {
  if (self === undefined) {
    // Workers of another copy's master serve this call.
    if (!copies.isAnothers()) passForeign();
    return;
  }
  checkCall(self, identity);
  reach(self, { identity, isSound: wrongWorkerFns(workerFns) === undefined, workerFns, args });
}

/** @param {ARunner} self @param {Call} call */
function reach(self, call) {
  if (self.registered) return;
  const { search } = self;
  if (search.isFound(call)) {
    register(self, call);
    return;
  }
  if (search.isListed) self.native.workerPassed(self.handle, search.describe(call));
  if (search.likely() === call) setTimeout(serveLikely, SETTLED, self, call).unref();
}

/** No better call than one that was passed by has come for a while. @param {ARunner} self @param {Call} call */
function serveLikely(self, call) {
  if (!self.registered && !self.released && self.search.likely() === call) register(self, call);
}

/** Keeps the promises of pools: what is behind them is the master's alone, and must not be collected. @type {unknown[]} */
const parked = [];

/**
 * The program has reached a `createPool`, behind which it never goes on. False if this process is no worker of this package.
 * @param {any} stages
 * @param {import("../shared/identity").Identity} identity
 * @param {(value: any) => void} resolve of the promise that the program gets
 */
function park(stages, identity, resolve) {
  if (self === undefined) return false;
  checkCall(self, identity);
  if (parked.push(resolve) === 1) process.on("beforeExit", exitParked);
  reach(self, { identity, isSound: isStages(stages), workerFns: [], args: {}, stages });
  return true;
}

/**
 * The program is parked, and has nothing to do: a worker that was released exits, before Node makes an unsettled `await` a warning
 * and a code of its own. If a listener has begun something, that comes first.
 */
function exitParked() {
  if (self === undefined || !self.released) return;
  const before = activeCount();
  nextTick(() => {
    if (activeCount() <= before) process.exit(process.exitCode || 0);
  });
}

/** How much keeps the event loop alive; before Node 17.3 timers are not told. */
function activeCount() {
  /** @type {any} */
  const { getActiveResourcesInfo, _getActiveHandles, _getActiveRequests } = process;
  if (getActiveResourcesInfo !== undefined) return getActiveResourcesInfo().length;
  return _getActiveHandles().length + _getActiveRequests().length;
}

/** The program has nothing more to do: it makes no other call. @param {ARunner} self */
function endSearch(self) {
  if (self.registered || self.released) return;
  const { native, handle, search } = self;
  const call = search.atEnd();
  if (call === undefined) {
    native.workerRefuse(handle, "Error", "ERR_SONIC_CALL_UNREACHABLE", search.failure());
    return;
  }
  try {
    register(self, call);
  } catch (_) {
    // The master knows, and the program's own call has resolved long ago.
  }
}

/** @param {ARunner} self @param {Call} call */
function register(self, { workerFns, args, stages, identity }) {
  const { isClustered = false } = self.search.wanted;
  if (stages !== undefined) {
    const own = { ...stages };
    self.registerStages(isClustered ? clustered().ofPool(own, self) : own);
    return;
  }
  if (!self.search.hasFlow(identity)) {
    self.native.workerRefuse(self.handle, "Error", "ERR_SONIC_FLOW", otherFlow());
    return;
  }
  const wrong = wrongWorkerFns(workerFns);
  if (wrong === undefined && isClustered) {
    self.registerStages(clustered().ofCall(ownWork(workerFns), args, self));
    return;
  }
  if (wrong === undefined) {
    self.register(ownWork(workerFns), args);
    return;
  }
  const error = pointAt(invalidType(wrong), siteOf(register));
  self.native.workerRefuse(self.handle, "TypeError", error.code, wrong);
  throw error;
}

/** The program may change its array. @param {any} workerFns */
const ownWork = (workerFns) => (isFlow(workerFns) ? workerFns : [...workerFns]);

/** Few masters have several machines. */
const clustered = () => require("./clustered");

/** @param {any} workerFns */
function wrongWorkerFns(workerFns) {
  if (isFlow(workerFns)) return undefined;
  const must = "workerFns must be an array of functions in a worker";
  if (!Array.isArray(workerFns)) return `${must}, got ${shown(workerFns)}`;
  const at = workerFns.findIndex((fn) => typeof fn !== "function");
  return at < 0 ? undefined : `${must}, got ${shown(workerFns[at])} at index ${at}`;
}

module.exports = { join, park, serve };
