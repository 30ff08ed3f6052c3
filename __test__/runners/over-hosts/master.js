"use strict";
// Loaded into a program before itself: its process has no workers, and what it wants of them goes to a file, from which hosts are
// started that have as many together.

const fs = require("fs");
const Module = require("module");

const { OVER_HOSTS_TOLD: told } = process.env;
delete process.env.OVER_HOSTS_TOLD;

const { _load: load } = /** @type {any} */ (Module);

/** @this {unknown} @param {string} request @param {...any} rest */
function loadAll(request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (!request.endsWith("/shared/num-workers")) return loaded;
  return {
    numWorkersOf(args, options) {
      const workers = loaded.numWorkersOf(args, options);
      // Groups of workers that differ are those of the program's own process.
      if (options.cluster === undefined || options.workers !== undefined) return workers;
      delete options.numWorkers;
      tell(workers);
      return 0;
    },
  };
}

/** Of its first call. @param {number} workers */
function tell(workers) {
  if (fs.existsSync(told)) return;
  fs.writeFileSync(`${told}.new`, String(workers));
  fs.renameSync(`${told}.new`, told);
}

/** @type {any} */ (Module)._load = loadAll;
