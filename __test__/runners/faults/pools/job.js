"use strict";
// Events of one kind in a pool: handed over by calls, by a map, a stream or a run, one by one while the others go on. It keeps
// what it has handed over, and what each of them came to.
const { Map } = require("../../../..");

/** An iterable of what is put into it. */
class Feed {
  constructor() {
    this.waiting = [];
    this.isOver = false;
    this.wake = () => {};
    this.over = new Promise((resolve) => {
      this.hasEnded = () => resolve(undefined);
    });
  }

  push(value) {
    this.waiting.push(value);
    this.wake();
  }

  end() {
    this.isOver = true;
    this.wake();
    this.hasEnded();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      while (this.waiting.length > 0) yield this.waiting.shift();
      if (this.isOver) return;
      await new Promise((resolve) => {
        this.wake = () => resolve(undefined);
      });
    }
  }
}

/** An error, as JSON has it; what it tells of its event, as text. */
const told = ({ name, message, code, exitCode, signal, pid, task }) => {
  const { work, data, attempts, worker, pid: its } = task ?? {};
  const about = task && JSON.stringify({ work, name: data.name, attempts, worker, pid: its });
  return { name, message, code, exitCode, signal, pid, task: about };
};

const answered = ({ data, response }) => ({ name: data.name, response });
const failed = ({ data, error }) => ({ name: data.name, error: told(error) });

class Job {
  /** @param {any} pool @param {string} name @param {string} kind @param {any} options */
  constructor(pool, name, kind, options) {
    this.pool = pool;
    this.name = name;
    this.kind = kind;
    this.options = options;
    this.feed = new Feed();
    this.accepted = [];
    this.ends = [];
    this.calls = [];
    /** Resolves when all its events have ended. */
    this.done = this[kind]().catch((error) => this.cut(error));
  }

  /** @param {string} role @param {any} [more] */
  add(role, more = {}) {
    const { kind, name, options } = this;
    const mayEmit = kind === "stream" || kind === "run";
    const emits = mayEmit && role !== "meeting" && this.accepted.length % 2 === 0;
    const data = {
      name: `${name}:${this.accepted.length}`,
      role,
      ...(emits ? { emits } : {}),
      ...more,
    };
    this.accepted.push({
      name: data.name,
      role,
      kind,
      emits,
      tags: options.tags || [],
      key: options.key,
    });
    if (kind === "call") this.calls.push(this.callOne(data));
    else this.feed.push(data);
  }

  end() {
    this.feed.end();
  }

  /** It rejects itself: so does each event that has not ended. */
  cut(error) {
    for (const { name } of this.accepted) {
      if (!this.ends.some((end) => end.name === name)) this.ends.push({ name, error: told(error) });
    }
  }

  /** Calls are made at once. */
  async call() {
    await this.feed.over;
    await Promise.all(this.calls);
  }

  async callOne({ name, ...data }) {
    try {
      const response = await this.pool.call("work", { name, ...data }, this.options);
      this.ends.push({ name, response });
    } catch (error) {
      this.ends.push({ name, error: told(error) });
    }
  }

  async map() {
    const ends = await this.pool.map("work", this.feed, { ...this.options, settled: true });
    ends.forEach(({ value, reason }, at) => {
      const { name } = this.accepted[at];
      this.ends.push(reason ? { name, error: told(reason) } : { name, response: value });
    });
  }

  async stream() {
    for await (const entry of this.pool.stream("work", this.feed, this.options))
      await this.read(entry);
  }

  async read(entry) {
    this.ends.push(entry.failed ? failed(entry) : answered(entry));
  }

  async run() {
    const submit = async (queue) => {
      for await (const data of this.feed) await Map(queue, { data }, this.routing());
    };
    const reduce = (results, failures) => this.reduce(results, failures);
    const { tags, key, ...options } = this.options;
    this.ends.push(...(await this.pool.run(submit, "work", reduce, {}, options)));
  }

  async reduce(results, failures) {
    return [...results.getElements().map(answered), ...failures.getElements().map(failed)];
  }

  routing() {
    const { tags, key } = this.options;
    return { ...(tags ? { tags } : {}), ...(key === undefined ? {} : { key }) };
  }
}

module.exports = { Job };
