"use strict";
// Events that wait behind those of the client that the fault strikes: of each kind, with each of the tags, and with its key.
const { GROUPS, KINDS, optionsFor } = require("../pools/places");
const { cell } = require("../pools/arm");
const { Job } = require("../pools/job");

const EVENTS = 3;

/** @param {any} pool @param {string} who hands them over @returns {InstanceType<typeof Job>[]} */
function follow(pool, who) {
  const own = KINDS.map((kind, at) => {
    const tags = GROUPS.length > 0 ? [[], ...GROUPS][at % 3] : [];
    return new Job(pool, `${who}${kind}`, kind, { ...optionsFor(tags), priority: at - 1 });
  });
  if (cell.key !== "none") {
    const tags = cell.tag === "none" ? [] : [cell.tag];
    own.push(new Job(pool, `${who}keyed`, "call", optionsFor(tags, cell.key)));
  }
  for (const job of own) {
    for (let n = 0; n < EVENTS; n++) job.add("follower");
    job.end();
  }
  return own;
}

module.exports = { follow };
