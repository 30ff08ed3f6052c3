"use strict";
// Values that JSON cannot hold, as JSON: `{ is: "kind", of: … }`. The events of a trial travel so into both programs.

const KINDS = {
  undefined: () => undefined,
  number: (of) => Number(of),
  date: (of) => new Date(Number(of)),
  error: ({ message, code }) => Object.assign(new RangeError(message), { code }),
  function: () => () => "dropped",
  symbol: () => Symbol("dropped"),
  buffer: (of) => Buffer.from(of),
  map: () => new globalThis.Map([[1, 2]]),
  regexp: () => /x/g,
  toJSON: (of) => ({ kept: "not", toJSON: () => valueOf(of) }),
  repeat: ({ text, times }) => text.repeat(times),
  array: (of) => of.map(valueOf),
  object: (of) => {
    const object = {};
    for (const [key, value] of of) {
      const property = {
        value: valueOf(value),
        enumerable: true,
        writable: true,
        configurable: true,
      };
      Object.defineProperty(object, key, property);
    }
    return object;
  },
};

/** @param {any} encoded a primitive, which is itself, or a kind */
function valueOf(encoded) {
  return encoded !== null && typeof encoded === "object" ? KINDS[encoded.is](encoded.of) : encoded;
}

module.exports = { valueOf };
