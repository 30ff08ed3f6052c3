"use strict";
// One process's questions about locks and what else is shared, and the replies to them, which have their numbers. Knows how questions
// travel and nothing of what they mean: see src/wire/sync.rs.

const { current, tokensOf } = require("./context");
const { broken, failureOf } = require("./faults");
const { JSON, Map, Promise } = require("../primordials");
const { stopBy, throwIfAborted } = require("../signals");
const { pointAt } = require("../stack");

/**
 * How a question leaves this process. `hold`: whether a reply is awaited, for which the event loop stays alive.
 * @typedef {object} Wire
 * @property {(text: string, value: Uint8Array | null) => void} send
 * @property {(isHeld: boolean) => void} hold
 * @property {boolean} isOwn whether the core knows this process's events
 * @property {() => void} [check] throws if nothing new is to be asked
 */
/** What has arrived. @typedef {{ text: string, value?: Uint8Array | null }} Arrived */
/** @typedef {import("./context").Frame} Frame */
/** What a question has in `ask`; see `Ask` in src/wire/sync.rs. @typedef {{ op: string, [field: string]: unknown }} Ask */
/** @typedef {{ is: string, [field: string]: any }} Reply */
/** @typedef {{ reply: Reply, value: Uint8Array | undefined }} Answer */
/**
 * @typedef {object} How
 * @property {Frame} [frame] where it is asked, by default where the code stands that runs now
 * @property {AbortSignal} [signal]
 * @property {Uint8Array} [value]
 * @property {{ stack?: unknown }} [site] where the program has asked
 * @property {() => void} [onLeft] the event has ended in which it is asked; then it fails. Otherwise it outlives the event
 */

/** What a process counts its questions to. */
const LAST_ID = 2 ** 32 - 1;

class Port {
  /** @type {Wire} */
  #wire;
  /** Those without a reply. @type {globalThis.Map<number, Question>} */
  #questions = new Map();
  #lastId;

  /** @param {Wire} wire @param {number} [lastId] the number of the question before the first */
  constructor(wire, lastId = 0) {
    this.#wire = wire;
    this.#lastId = lastId;
    /** What is held, by its token. @type {globalThis.Map<number, InstanceType<typeof import("./grant").Grant>>} */
    this.held = new Map();
    /** Makes the error for which nothing can be asked any more. @type {(() => any) | undefined} */
    this.failure = undefined;
  }

  /** How many questions have no reply. */
  get waiting() {
    return this.#questions.size;
  }

  /**
   * Asks a question. Throws what is known to be wrong at once.
   * @param {Ask} ask
   * @param {How} how
   * @param {(answer: Answer) => void} hear
   * @param {(error: unknown) => void} fail
   */
  ask(ask, { frame = current(), signal, value, onLeft }, hear, fail) {
    const { scope } = frame;
    if (this.failure !== undefined) throw this.failure();
    this.#wire.check?.();
    throwIfAborted(signal);
    if (scope?.error !== undefined) throw scope.error;
    const id = this.#nextId();
    const question = new Question(scope, hear, fail, (error) => this.#cancel(id, error));
    this.#questions.set(id, question);
    if (this.#questions.size === 1) this.#wire.hold(true);
    try {
      this.#send(id, ask, frame, value);
    } catch (error) {
      this.#close(id);
      throw error;
    }
    if (onLeft !== undefined) question.leaveBy(onLeft);
    scope?.live.add(question);
    question.ignore = stopBy(signal, question.abort);
  }

  /** The same as a promise. @param {Ask} ask @param {How} how @returns {Promise<Answer>} */
  request(ask, how) {
    return new Promise((resolve, reject) => {
      this.ask(ask, how, resolve, (error) => reject(pointAt(error, how.site)));
    });
  }

  /** Says something to which there is no reply. @param {Ask} ask @param {Uint8Array} [value] */
  tell(ask, value) {
    if (this.failure === undefined) this.#wire.send(JSON.stringify({ id: 0, ask }), value || null);
  }

  /** @param {Arrived} arrived */
  hear({ text, value }) {
    const { id, reply } = JSON.parse(text);
    if (id === 0) {
      this.held.get(reply.token)?.lose("another request has stolen this lock");
      return;
    }
    // There is none if it was withdrawn meanwhile.
    const question = this.#close(id);
    if (question === undefined) return;
    if (reply.is === "failed") question.fail(failureOf(reply));
    else question.hear({ reply, value: value || undefined });
  }

  /** The other side is gone, and with it what was held. @param {() => any} failure */
  break(failure) {
    this.failure = failure;
    for (const id of [...this.#questions.keys()]) this.#close(id)?.fail(failure());
    for (const grant of [...this.held.values()]) grant.loseBy(failure());
  }

  /** @param {number} id @param {unknown} error */
  #cancel(id, error) {
    const question = this.#close(id);
    if (question === undefined) return;
    this.tell({ op: "cancel", question: id });
    question.fail(error);
  }

  /** @param {number} id */
  #close(id) {
    const question = this.#questions.get(id);
    if (question === undefined) return undefined;
    this.#questions.delete(id);
    if (this.#questions.size === 0) this.#wire.hold(false);
    question.scope?.live.delete(question);
    question.ignore();
    return question;
  }

  /** @param {number} id @param {Ask} ask @param {Frame} frame @param {Uint8Array | undefined} value */
  #send(id, ask, frame, value) {
    /** @type {Record<string, unknown>} */
    const asked = { id, ask };
    const inside = tokensOf(frame, this);
    if (inside.length > 0) asked.inside = inside;
    const name = frame.scope?.name;
    if (name !== undefined && this.#wire.isOwn) asked.event = name;
    this.#wire.send(JSON.stringify(asked), value || null);
  }

  #nextId() {
    do this.#lastId = this.#lastId === LAST_ID ? 1 : this.#lastId + 1;
    while (this.#questions.has(this.#lastId));
    return this.#lastId;
  }
}

class Question {
  /**
   * @param {import("./context").Frame["scope"]} scope
   * @param {(answer: Answer) => void} hear
   * @param {(error: unknown) => void} fail
   * @param {(error: unknown) => void} abort
   */
  constructor(scope, hear, fail, abort) {
    this.scope = scope;
    this.hear = hear;
    this.fail = fail;
    /** Withdraws it. */
    this.abort = abort;
    /** Does not listen for the program's signal any more. */
    this.ignore = () => {};
    /** The event has ended. @type {((error: Error) => void) | undefined} */
    this.leave = undefined;
  }

  /** It ends with its event. @param {() => void} onLeft */
  leaveBy(onLeft) {
    this.leave = (error) => {
      onLeft();
      this.abort(error);
    };
  }
}

/**
 * Something that ends with the event in which it is awaited. If the event has not awaited it, nobody need hear of that.
 * @template T
 * @param {(onLeft: () => void) => Promise<T>} wait
 * @returns {Promise<T>}
 */
function withEvent(wait) {
  /** @type {Promise<T>} */
  const waited = wait(() => {
    waited.then(undefined, () => {});
  });
  return waited;
}

/** The number of a reply. @param {Answer} answer @returns {number} */
function numberOf({ reply }) {
  if (reply.is !== "number") throw broken(`"${reply.is}" instead of a number`);
  return reply.number;
}

module.exports = { LAST_ID, Port, numberOf, withEvent };
