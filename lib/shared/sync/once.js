"use strict";
// `sync.once`: work that one process does for all of the program. All get its value.

const { signalIn } = require("./checks");
const { current, within } = require("./context");
const { broken } = require("./faults");
const { textOf } = require("./names");
const { packed, unpacked } = require("./values");
const { checkFunction } = require("../checks");
const { siteOf } = require("../stack");

/**
 * @param {InstanceType<typeof import("./port").Port>} port
 * @param {unknown} name
 * @param {any} fn
 * @param {unknown} options
 * @returns {Promise<any>}
 */
async function once(port, name, fn, options) {
  const site = siteOf(once);
  const text = textOf("sync.once: the name", name);
  checkFunction("sync.once: the second parameter", fn);
  const signal = signalIn("sync.once", options);
  const frame = current();
  const { reply, value } = await port.request({ op: "once", name: text }, { frame, signal, site });
  if (reply.is === "value") return unpacked(value);
  if (reply.is !== "run") throw broken(`"${reply.is}" instead of a value`);
  const { token } = reply;
  const work = { token, isOver: false, port };
  try {
    const bytes = packed("sync.once: the value", await within(frame, work, fn, undefined));
    port.tell({ op: "onceDone", name: text, token }, bytes);
    return unpacked(bytes);
  } catch (error) {
    port.tell({ op: "onceFailed", name: text, token });
    throw error;
  } finally {
    work.isOver = true;
  }
}

module.exports = { once };
