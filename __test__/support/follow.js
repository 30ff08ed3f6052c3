"use strict";
/** A client of a dashboard without a browser: what it answers, and the events of its stream, as they come. */
const http = require("node:http");

/** The answer to a request. @returns {Promise<{ status: number, headers: any, text: string }>} */
function ask(url, { method = "GET", headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece) => (text += piece));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, text }),
      );
    });
    request.on("error", reject);
    request.end();
  });
}

/** Follows a stream of events to its end. */
class Follower {
  /** @param {string} url of the page */
  constructor(url) {
    this.events = [];
    this.bytes = 0;
    this.waiting = [];
    this.ended = new Promise((resolve, reject) => {
      const request = http.get(new URL("events", url), { agent: false }, (response) => {
        let rest = "";
        response.setEncoding("utf8");
        response.on("data", (text) => {
          this.bytes += Buffer.byteLength(text);
          rest = this.take(rest + text);
        });
        response.on("error", () => {});
        response.on("close", resolve);
      });
      request.on("error", reject);
    });
  }

  /** @param {string} text @returns {string} what is no whole event yet */
  take(text) {
    const parts = text.split("\n\n");
    const rest = parts.pop();
    for (const part of parts) {
      const [, name, json] = /^event: (.*)\ndata: (.*)$/.exec(part);
      this.events.push({ name, data: JSON.parse(json) });
    }
    this.waiting = this.waiting.filter((look) => !look());
    return rest;
  }

  /** Waits until what is known of the program holds. @param {(known: any) => any} holds */
  async until(holds) {
    const look = () => holds(this.known);
    if (!look())
      await Promise.race([
        new Promise((resolve) => {
          this.waiting.push(() => {
            if (look()) resolve(undefined);
            return look();
          });
        }),
        this.ended.then(() => {
          if (!look()) throw new Error(`the stream ended first: ${JSON.stringify(this.known)}`);
        }),
      ]);
    return this.known;
  }

  /** What the stream has told so far: the pools by their ids, and so on. */
  get known() {
    const known = { pools: {}, groups: {}, list: [], marks: [], locks: undefined, ends: [] };
    for (const { name, data } of this.events) {
      if (name === "end" || name === "idle") known.ends.push(name);
      for (const pool of data.pools ?? [])
        known.pools[pool.id] = { ...known.pools[pool.id], ...pool };
      for (const group of data.failures?.groups ?? []) known.groups[group.key] = group;
      known.list.push(...(data.failures?.list ?? []));
      known.marks.push(...(data.marks ?? []));
      known.locks = data.locks ?? known.locks;
    }
    return known;
  }
}

/** The address that a program says its dashboard has. @param {any} program */
async function addressOf(program) {
  const found = () => /dashboard at (\S+)/.exec(program.stderr);
  await program.until(found, "told of its dashboard");
  return found()[1];
}

module.exports = { Follower, addressOf, ask };
