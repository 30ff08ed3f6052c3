"use strict";
// How an event's outcome travels: the response or the error, and the event's data if the worker function has changed it.
// From here on a crash does not touch the event any more.

const { MASK, encodedWithin, formatOf, joinWithin } = require("../shared/codec");
const { describe } = require("../shared/describe");
const { isQuiet, log } = require("../shared/log");
const { JSON } = require("../shared/primordials");
const { PublicTask } = require("../shared/task");
const { errorToJson } = require("../shared/thrown");

/** @typedef {import("./runner").Task} Task */
/** @typedef {import("../shared/codec").Encoded} Encoded */

/** The format of what is neither text nor one value. */
const BYTES = 3;

class Answers {
  /** @param {Pick<import("./runner").Self, "native" | "wire" | "handle" | "codec">} self */
  constructor({ native, wire, handle, codec }) {
    this.native = native;
    this.wire = wire;
    this.handle = handle;
    this.codec = codec;
    /** Answers an event; see `workerAnswerer`. */
    this.answerNow = native.workerAnswerer(handle);
  }

  /** @type {(task: Task, data: any, value: any) => void} */
  answer(task, data, value) {
    const { response, string, formatAt } = this.wire;
    if (typeof value === "string") {
      this.write(task, data, response | string, value);
      return;
    }
    let encoded;
    try {
      encoded = encodedWithin(this.codec, value, "response", "the response");
    } catch (error) {
      this.fail(task, data, error);
      return;
    }
    // `undefined`, and `null` once encoded, count as no response.
    if (encoded === undefined || (encoded === "null" && !task.job.keepsNull))
      this.write(task, data, 0, "");
    else this.write(task, data, response | (formatOf(value, encoded) << formatAt), encoded);
  }

  /** What an event of a flow has put out. @param {Task} task @param {any} data @param {Encoded} payload */
  answerOutputs(task, data, payload) {
    const { response, outputs, formatAt } = this.wire;
    const format = typeof payload === "string" ? 0 : BYTES << formatAt;
    this.write(task, data, response | outputs | format, payload);
  }

  /** @type {(task: Task, data: any, thrown: unknown) => void} */
  fail(task, data, thrown) {
    const { failed, response } = this.wire;
    this.write(task, data, failed | response, failureOf(thrown, task));
  }

  /**
   * Publishes an answer.
   * @param {Task} task
   * @param {any} data
   * @param {number} outcome
   * @param {Encoded} response
   */
  write(task, data, outcome, response) {
    const { index, answers, started } = task;
    const flags = outcome | answers;
    const changed = this.changedData(task, data, flags, response);
    if (task.context !== undefined) {
      const isFailed = (changed?.flags || flags) & this.wire.failed;
      const added = PublicTask.end(task.context);
      if (!isFailed) this.add(added);
    }
    if (changed === undefined && this.answerNow(index, flags, started, response) !== 0) return;
    const answer = { flags, response, data: null, ...changed };
    const write = () =>
      this.native.workerAnswer(
        this.handle,
        index,
        answer.flags,
        started,
        answer.response,
        answer.data,
      );
    if (write()) return;
    answer.flags = this.asJson(answer.flags);
    answer.response = JSON.stringify(answer.response);
    write();
  }

  /** Has the event that is answered next add this to its run. @param {import("../shared/task").Added} added */
  add({ emitted, counts }) {
    if (emitted.length > 0) this.emit(emitted);
    if (counts !== undefined) this.native.workerCount(this.handle, JSON.stringify(counts));
  }

  /** @param {import("../shared/task").Added["emitted"]} emitted */
  emit(emitted) {
    const { task, hole, formatAt } = this.wire;
    for (const { encoded, format } of emitted) {
      if (encoded === undefined) {
        this.native.workerEmit(this.handle, task | hole, "");
      } else if (!this.native.workerEmit(this.handle, task | (format << formatAt), encoded)) {
        this.native.workerEmit(this.handle, task, JSON.stringify(encoded));
      }
    }
  }

  /** The flags of an answer whose response is JSON. @param {number} flags */
  asJson(flags) {
    return flags & ~(MASK << this.wire.formatAt);
  }

  /**
   * The event's data if the worker function has changed it, with what else is then different in the answer.
   * @param {Task} task
   * @param {any} data
   * @param {number} flags
   * @param {Encoded} answer the response
   * @returns {{ data: Encoded | null, flags?: number, response?: string } | undefined}
   */
  changedData(task, data, flags, answer) {
    if (!task.job.keepsData) return undefined;
    const { failed, response, dataHole, dataFormatAt, whole } = this.wire;
    const isWhole = Boolean(task.flags & whole);
    if (!isWhole && (data === null || typeof data !== "object")) return undefined;
    try {
      if (this.codec.isAsBefore(task.data, task.before)) return undefined;
      const encoded = encodedWithin(this.codec, data, "data", "the event's data");
      if (encoded === undefined) return { data: null, flags: flags | dataHole };
      if (typeof encoded === "string" && encoded === task.text && !isWhole) return undefined;
      joinWithin(answer, encoded);
      return { data: encoded, flags: flags | (formatOf(data, encoded) << dataFormatAt) };
    } catch (error) {
      if (flags & failed) return undefined;
      // The worker function's data cannot travel: the event fails, with the data that it had.
      const asFailed = this.asJson(flags) | failed | response;
      return { data: null, flags: asFailed, response: failureOf(error, task) };
    }
  }
}

/** Logs what was thrown, and returns what the entry says of it. @param {unknown} thrown @param {Task} task */
function failureOf(thrown, task) {
  if (task.job.logs && !isQuiet()) log(`Error occurred: ${describe(thrown)}`);
  return errorToJson(thrown, task.job.errors);
}

module.exports = { Answers };
