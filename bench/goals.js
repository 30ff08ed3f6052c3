"use strict";
// Measurements of several things in turns, whose medians are compared with goals. A missed goal fails nothing.

const { parseArgs } = require("node:util");

const numbers = (count) => Array.from({ length: count }, (_, at) => at);

/** @param {number[]} values @param {number} part */
const quantile = (values, part) =>
  [...values].sort((a, b) => a - b)[Math.min(Math.floor(values.length * part), values.length - 1)];

/**
 * `of`: what is measured, by who does it; `goals`: of the medians, by the same.
 * @typedef {object} Measurement
 * @property {string} name
 * @property {Record<string, () => Promise<number>>} of
 * @property {number} [runs] if there are to be more or fewer than usual
 * @property {{ says: string, is: (medians: any) => number, least?: number, most?: number }[]} goals
 */

/** Prints the median, the least and the most, and whether the goals are met. @param {Measurement} one @param {number} usual how many runs */
async function measure({ name, of, runs, goals }, usual) {
  const values = Object.fromEntries(Object.keys(of).map((who) => [who, []]));
  for (let run = 0; run < (runs || usual); run++) {
    for (const who of Object.keys(of)) values[who].push(await of[who]());
  }
  console.log(name);
  const medians = {};
  for (const [who, all] of Object.entries(values)) {
    medians[who] = quantile(all, 0.5);
    const [least, most] = [Math.min(...all), Math.max(...all)].map((value) => value.toFixed(2));
    console.log(
      `  ${who.padEnd(10)} ${medians[who].toFixed(2).padStart(12)}  (${least} to ${most})`,
    );
  }
  for (const { says, is, least, most } of goals) {
    const value = is(medians);
    const isMet = least === undefined ? value <= most : value >= least;
    console.log(`  ${isMet ? "met" : "MISSED"}: ${value.toFixed(2)}, ${says}`);
  }
}

/** Measures all, or those whose names have the text of `--only`, `--runs` times each. @param {Measurement[]} all */
async function measureAll(all) {
  const { values } = parseArgs({
    options: { runs: { type: "string", default: "5" }, only: { type: "string", default: "" } },
  });
  for (const one of all) {
    if (one.name.includes(values.only)) await measure(one, Number(values.runs));
  }
}

module.exports = { measureAll, numbers, quantile };
