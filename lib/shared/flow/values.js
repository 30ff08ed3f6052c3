"use strict";
// The values of a group as its function gets them: an iterable that reads them when they are asked for, once, and only as long as the
// function runs.

class Values {
  #groups;
  #name;
  #isTaken = false;
  #isOver = false;

  /** @param {{ hasValue: () => boolean, reader: { take: () => any } }} groups @param {string} name the node's */
  constructor(groups, name) {
    this.#groups = groups;
    this.#name = name;
  }

  [Symbol.iterator]() {
    if (this.#isTaken) throw new Error(`${this.#name}: the values of a group can be read once`);
    this.#isTaken = true;
    return new Iterator(() => this.#next());
  }

  #next() {
    if (this.#isOver)
      throw new Error(`${this.#name}: the values of a group can be read while its function runs`);
    const groups = this.#groups;
    if (!groups.hasValue()) return { done: true, value: undefined };
    return { done: false, value: groups.reader.take() };
  }

  /** The function has ended. */
  end() {
    this.#isOver = true;
  }
}

class Iterator {
  #next;
  #isDone = false;

  /** @param {() => { done: boolean, value: any }} next */
  constructor(next) {
    this.#next = next;
  }

  next() {
    if (this.#isDone) return { done: true, value: undefined };
    const result = this.#next();
    if (result.done) this.#isDone = true;
    return result;
  }

  return() {
    this.#isDone = true;
    return { done: true, value: undefined };
  }

  [Symbol.iterator]() {
    return this;
  }
}

module.exports = { Values };
