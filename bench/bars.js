"use strict";
// The speed goals of this package, and whether they are met. A missed goal is reported, but fails nothing.

const { CONTESTANTS } = require("./contestants");

/** The other pools: those that must be installed. */
const POOLS = Object.keys(CONTESTANTS).filter((name) => CONTESTANTS[name].package !== undefined);

const timesFork = (workload, wanted, fork = "fork") => ({
  name: `${workload}: times as fast as ${fork}`,
  atLeast: wanted,
  measure: (cases) => {
    const one = caseOf(cases, workload);
    return valueOf(one, fork) / valueOf(one, "ours");
  },
});

const BARS = [
  timesFork("tiny", 8),
  {
    name: "tiny: times as fast as the best other pool",
    atLeast: 20,
    measure: (cases) => {
      const one = caseOf(cases, "tiny");
      const others = POOLS.map((name) => valueOf(one, name)).filter((value) => value > 0);
      return Math.min(...others) / valueOf(one, "ours");
    },
  },
  timesFork("object", 1.4),
  timesFork("string100k", 3.5),
  timesFork("string10m", 3.5),
  timesFork("buffer1m", 2, "fork-advanced"),
  {
    name: "skewed: efficiency",
    atLeast: 0.93,
    measure: (cases) => resultOf(caseOf(cases, "skewed"), "ours")?.efficiency,
  },
  {
    name: "roundtrip: time, relative to fork",
    atMost: 0.7,
    measure: (cases) => ofOthers(caseOf(cases, "roundtrip"), "fork"),
  },
  {
    name: "start: time, relative to fork",
    atMost: 1.1,
    measure: (cases) => ofOthers(caseOf(cases, "start"), "fork"),
  },
  {
    name: "tiny: time per event, most events relative to fewest",
    atMost: 1.2,
    measure: (cases) => {
      const { workers } = caseOf(cases, "tiny") ?? {};
      const tiny = cases.filter((one) => one.workload === "tiny" && one.workers === workers);
      const sorted = tiny.sort((a, b) => a.events - b.events);
      const [fewest, most] = [sorted[0], sorted[sorted.length - 1]];
      if (fewest === most) return undefined;
      return valueOf(most, "ours") / most.events / (valueOf(fewest, "ours") / fewest.events);
    },
  },
  {
    name: "held: memory, relative to objects in an array",
    atMost: 0.5,
    measure: (cases) => ofOthers(caseOf(cases, "held"), "array"),
  },
];

/** Each goal with its measured value. `measured` is null if a value it needs is missing. */
function judge(cases) {
  return BARS.map(({ name, atLeast, atMost, measure }) => {
    const measured = measure(cases);
    if (!Number.isFinite(measured)) return { name, atLeast, atMost, measured: null, met: null };
    const met = atLeast === undefined ? measured <= atMost : measured >= atLeast;
    return { name, atLeast, atMost, measured, met };
  });
}

/** The case of the workload itself comes before the cases that vary a number of it. */
const caseOf = (cases, workload) => cases.find((one) => one.workload === workload);

const resultOf = (one, name) => one?.results.find(({ contestant }) => contestant === name);

/** NaN if the contestant has no result. */
const valueOf = (one, name) => resultOf(one, name)?.median ?? Number.NaN;

const ofOthers = (one, other) => valueOf(one, "ours") / valueOf(one, other);

module.exports = { judge };
