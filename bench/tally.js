"use strict";
// Reads and counts answers, and checks at the end that they are correct.

class Tally {
  /** @param {import("./workloads").Workload} workload @param {number} events */
  constructor(workload, events) {
    this.workload = workload;
    this.events = events;
    this.count = 0;
    this.sum = 0;
  }

  add(answer) {
    this.count += 1;
    this.sum += this.workload.read(answer);
  }

  get isComplete() {
    return this.count === this.events;
  }

  /** Throws unless every event has the correct answer. */
  check() {
    const { data, answer, read } = this.workload;
    if (!this.isComplete) throw new Error(`${this.count} answers to ${this.events} events`);
    let expected = 0;
    for (let index = 0; index < this.events; index++) expected += read(answer(data(index)));
    if (this.sum !== expected)
      throw new Error(`the answers add up to ${this.sum}, not ${expected}`);
  }
}

module.exports = { Tally };
