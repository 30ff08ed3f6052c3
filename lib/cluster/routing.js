"use strict";
// Which members may run an event, and which of them the events of a key go to. Pure.

const { createHash } = require("crypto");
const { coded } = require("../shared/errors");
const { JSON, Set, WeakMap } = require("../shared/primordials");

/** @typedef {import("./coordinator").Member} Member */

/** Hashes are whole numbers below this. */
const WHOLE = 2 ** 32;

/** Those of members. @type {WeakMap<Pick<Member, "id">, number>} */
const known = new WeakMap();

/** @param {Pick<Member, "tags">} member @param {string[]} tags */
const hasAll = (member, tags) => tags.every((tag) => member.tags.includes(tag));

/** @param {Pick<Member, "tags" | "isExclusive">} member @param {string[]} tags */
const serves = (member, tags) => (tags.length > 0 || !member.isExclusive) && hasAll(member, tags);

/**
 * The member that a key's events go to: one that comes or goes takes over, or leaves, its own keys alone, and has as many as its places
 * say (rendezvous hashing, weighted).
 * @param {string} key
 * @param {string[]} tags
 * @param {Iterable<Member>} members
 * @returns {string | undefined} its id; undefined if none may run them now
 */
function bestFor(key, tags, members) {
  const hash = hashOf(key);
  let best;
  let most = -1;
  for (const member of members) {
    if (!member.isOpen || !serves(member, tags)) continue;
    const score = member.places / -Math.log(shareOf(hash, member));
    if (score <= most) continue;
    most = score;
    best = member.id;
  }
  return best;
}

/** A number between 0 and 1, the same each time. @param {number} hash of a key @param {Pick<Member, "id">} member */
function shareOf(hash, member) {
  let own = known.get(member);
  if (own === undefined) {
    own = hashOf(member.id);
    known.set(member, own);
  }
  return (mixed(hash ^ own) + 0.5) / WHOLE;
}

/** @param {string} text */
const hashOf = (text) => createHash("sha256").update(text).digest().readUInt32LE(0);

/** Each bit of the number decides about each of the result: the last steps of MurmurHash3. @param {number} number of 32 bits */
function mixed(number) {
  let mix = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}

/** Nobody has come who has these tags. @param {string[]} tags @param {Iterable<Member>} members @param {number} timeout */
function noWorker(tags, members, timeout) {
  const known = [...new Set([...members].flatMap(({ tags }) => tags))].sort();
  const named = (/** @type {string[]} */ list) =>
    list.map((tag) => JSON.stringify(tag)).join(" and ");
  const has = known.length === 0 ? "no tags at all" : named(known);
  const what =
    tags.length === 0
      ? "all workers are exclusive: they run only events with tags of theirs"
      : `no worker has ${named(tags)}${tags.length > 1 ? " together" : ""}; the workers have ${has}`;
  return coded(
    Error,
    "ERR_SONIC_NO_WORKER",
    `${what}; no host has come in ${timeout} ms, which is cluster.timeout, that has what is needed`,
  );
}

module.exports = { bestFor, hasAll, noWorker, serves };
