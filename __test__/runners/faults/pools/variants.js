"use strict";
/**
 * Chooses a few variants out of very many, so that each two values meet in one of them: of two dimensions, and of a dimension
 * and the place of the variant. It knows nothing of faults or pools.
 */

/** What a pool of a cell is like. */
const DIMENSIONS = {
  /** Its stages are functions of the program, or those of a worker file. */
  form: ["functions", "file"],
  concurrency: [1, 8],
  retries: ["off", "on"],
  serialization: ["json", "advanced"],
  /** The tag of the event that the fault strikes, where there is one group of workers for each tag. */
  tag: ["none", "a", "b"],
  /** Whether that event has a key, with others behind it. */
  key: ["none", "k"],
  /** How that event is handed over. */
  kind: ["call", "map", "stream", "run"],
};

/** @type {Record<string, any>[]} */
const ALL = Object.entries(DIMENSIONS).reduce(
  (chosen, [name, values]) =>
    chosen.flatMap((some) => values.map((value) => ({ ...some, [name]: value }))),
  /** @type {Record<string, any>[]} */ ([{}]),
);

const wordsOf = (values) => Object.entries(values).map((entry) => entry.join("="));
const inside = (words) =>
  words.flatMap((one, at) => words.slice(at + 1).map((two) => `${one} ${two}`));

/** The values of each variant, and their pairs: these are the same at every place. */
const WORDS = new Map(ALL.map((variant) => [variant, wordsOf(variant)]));
const INSIDE = new Map(ALL.map((variant) => [variant, inside(wordsOf(variant))]));

/** The pairs of values in a variant at a place. @param {string[]} here @param {Record<string, any>} variant */
function pairsOf(here, variant) {
  const across = WORDS.get(variant).flatMap((two) => here.map((one) => `${one} ${two}`));
  return [...across, ...INSIDE.get(variant)];
}

/**
 * A variant for each place: the one with the most pairs that have not met yet, and of several the one whose values were
 * chosen least often.
 * @template {Record<string, any>} Place
 * @param {Place[]} places
 * @param {(variant: any) => boolean} fits
 */
function variantsFor(places, fits) {
  const met = new Map();
  const timesOf = (pair) => met.get(pair) ?? 0;
  return places.map((place) => {
    const here = wordsOf(place);
    let best = { fresh: -1, used: 0, pairs: [], variant: {} };
    for (const variant of ALL) {
      if (!fits({ ...place, ...variant })) continue;
      const pairs = pairsOf(here, variant);
      const fresh = pairs.filter((pair) => !met.has(pair)).length;
      if (fresh < best.fresh) continue;
      const used = pairs.reduce((sum, pair) => sum + timesOf(pair), 0);
      if (fresh > best.fresh || used < best.used) best = { fresh, used, pairs, variant };
    }
    for (const pair of best.pairs) met.set(pair, timesOf(pair) + 1);
    return { ...place, ...best.variant };
  });
}

module.exports = { DIMENSIONS, variantsFor };
