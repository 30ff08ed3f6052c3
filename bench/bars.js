"use strict";
// How fast this package means to be, and whether it is. Nothing fails when it is not.

const { CONTESTANTS } = require("./contestants");

/** The pools that it is compared with: those that have to be installed. */
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
    name: "roundtrip: time, of fork's",
    atMost: 0.7,
    measure: (cases) => ofOthers(caseOf(cases, "roundtrip"), "fork"),
  },
  {
    name: "start: time, of fork's",
    atMost: 1.1,
    measure: (cases) => ofOthers(caseOf(cases, "start"), "fork"),
  },
  {
    name: "tiny: time of an event among most, of one among fewest",
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
    name: "held: memory, of objects' in an array",
    atMost: 0.5,
    measure: (cases) => ofOthers(caseOf(cases, "held"), "array"),
  },
];

/** Each bar with what was measured; `measured` is null where something it needs was not. */
function judge(cases) {
  return BARS.map(({ name, atLeast, atMost, measure }) => {
    const measured = measure(cases);
    if (!Number.isFinite(measured)) return { name, atLeast, atMost, measured: null, met: null };
    const met = atLeast === undefined ? measured <= atMost : measured >= atLeast;
    return { name, atLeast, atMost, measured, met };
  });
}

/** The workload's own case comes before those that vary one of its numbers. */
const caseOf = (cases, workload) => cases.find((one) => one.workload === workload);

const resultOf = (one, name) => one?.results.find(({ contestant }) => contestant === name);

/** NaN if there is none. */
const valueOf = (one, name) => resultOf(one, name)?.median ?? Number.NaN;

const ofOthers = (one, other) => valueOf(one, "ours") / valueOf(one, other);

module.exports = { judge };
