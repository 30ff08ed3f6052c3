"use strict";
/**
 * Proves, from what a flow of the soak came to, that each event of its source ended once: it failed, and nothing of it counts; or each
 * of its items is a result or a failure, once, and in its group if it is a result. Nothing ran more often than it may.
 */
const { itemOf, sourceOf } = require("./flow-loads");

const CRASH = "ERR_SONIC_WORKER_EXIT";

/**
 * @param {string} seed
 * @param {any} load see `flowOf`
 * @param {Record<string, string>} logs text by pid
 * @param {any} outcome
 * @returns {string[]} what is wrong
 */
function checkFlow(seed, load, logs, outcome) {
  if (outcome.rejected) return [`the run failed: ${outcome.rejected}`];
  const { results, failed } = outcome;
  const of = (name) => results.filter(({ sink }) => sink === name).map(({ response }) => response);
  const [moved, gathered] = [of("moved"), of("gathered")];
  const failedIn = (name) => failed.filter(({ node }) => node === name);
  const others = results.length - moved.length - gathered.length;
  return [
    ...(others > 0 ? [`${others} results are of no sink`] : []),
    ...checkItems(seed, load, moved, failedIn("parts"), failedIn("moved")),
    ...checkGroups(moved, gathered, failedIn("gathered")),
    ...failed.flatMap((failure) => checkFailure(seed, load, failure)),
    ...checkStarts(load, logs),
  ];
}

const nameOf = ({ n, at }) => `${n} ${at}`;

/** Each item of an event that has not failed ends once, and none of one that has. */
function checkItems(seed, load, moved, events, items) {
  const wrong = [];
  const ends = new Map();
  const end = (name) => ends.set(name, (ends.get(name) ?? 0) + 1);
  for (const [key, item] of moved) {
    end(nameOf(item));
    const due = itemOf(seed, load, item.n, item.at);
    if (key !== due.key) wrong.push(`item ${nameOf(item)} has the key ${key}`);
    if (due.does !== "answer")
      wrong.push(`item ${nameOf(item)} was answered, and was to ${due.does}`);
  }
  for (const { data } of items) end(nameOf(data));
  const lost = new Map();
  for (const { data: n } of events) lost.set(n, (lost.get(n) ?? 0) + 1);
  for (const [n, times] of lost) if (times > 1) wrong.push(`event ${n} has failed ${times} times`);
  for (let n = 0; n < load.count; n++) {
    const event = sourceOf(seed, load, n);
    if (!lost.has(n) && event.does !== "answer")
      wrong.push(`event ${n} was answered, and was to ${event.does}`);
    for (let at = 0; at < event.items; at++) {
      const name = nameOf({ n, at });
      const [times, due] = [ends.get(name) ?? 0, lost.has(n) ? 0 : 1];
      if (times !== due) wrong.push(`item ${name} has ended ${times} times, and was to ${due}`);
      ends.delete(name);
    }
  }
  for (const name of ends.keys()) wrong.push(`nobody has made item ${name}`);
  return wrong;
}

/** Each item that was moved is in the group of its key, once, unless a group has failed. */
function checkGroups(moved, gathered, failed) {
  const wrong = [];
  const left = new Map(moved.map(([key, item]) => [nameOf(item), key]));
  const keys = new Set();
  for (const { key, items } of gathered) {
    if (keys.has(key)) wrong.push(`the group ${key} is there twice`);
    keys.add(key);
    for (const item of items) {
      const name = nameOf(item);
      if (left.get(name) !== key) wrong.push(`item ${name} is in group ${key}, or there twice`);
      left.delete(name);
    }
  }
  if (failed.length > 0) return wrong;
  return [...wrong, ...[...left.keys()].map((name) => `item ${name} is in no group`)];
}

/** It fails by what it throws, or by the end of a worker, after all its attempts. */
function checkFailure(seed, load, { node, data, error }) {
  const due =
    node === "parts"
      ? { does: sourceOf(seed, load, data).does, text: `event ${data}` }
      : node === "moved"
        ? { does: itemOf(seed, load, data.n, data.at).does, text: `item ${nameOf(data)}` }
        : { does: "answer", text: `a part of ${node}` };
  const attempts = error.attempts ?? [error];
  const wrong = [];
  if (attempts.length !== 1 + load.retries)
    wrong.push(`${due.text} failed after ${attempts.length} attempts`);
  for (const { code, message } of attempts) {
    const isThrown = due.does === "throw" && message === `${due.text} throws`;
    if (code !== CRASH && !isThrown)
      wrong.push(`${due.text}, which was to ${due.does}, failed: ${code} ${message}`);
  }
  return wrong;
}

/** @param {any} load @param {Record<string, string>} logs */
function checkStarts({ retries }, logs) {
  const times = new Map();
  for (const line of Object.values(logs).join("").split("\n").filter(Boolean))
    times.set(line, (times.get(line) ?? 0) + 1);
  const tooOften = [...times].filter(([, count]) => count > 1 + retries);
  return tooOften.map(([line, count]) => `${line.slice(2)} ran ${count} times`);
}

module.exports = { checkFlow };
