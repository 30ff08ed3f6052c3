"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

class Point {
  constructor() {
    this.x = 1;
  }
  get length() {
    return 2;
  }
}
const values = () => ({
  date: new Date(0),
  invalid: new Date(NaN),
  missing: undefined,
  fn: () => 1,
  symbol: Symbol("s"),
  [Symbol("key")]: 1,
  numbers: [NaN, Infinity, -Infinity, -0, 1e21, 1e-7, 0.1 + 0.2, 2 ** 53 + 2],
  holes: [undefined, () => 1, Symbol("s"), , null],
  own: { toJSON: (key) => `toJSON for ${key}` },
  nothing: { toJSON: () => undefined },
  instance: new Point(),
  boxed: [new Number(3), new String("s"), new Boolean(false)],
  collections: [
    new globalThis.Map([[1, 2]]),
    new Set([1]),
    new WeakMap(),
    /re/g,
    new Error("lost"),
    new Uint8Array([1, 2]),
  ],
  hidden: Object.defineProperty({}, "no", { value: 1, enumerable: false }),
  bare: Object.assign(Object.create({ inherited: 1 }), { own: 1 }),
});
const stage = (event) => ({ types: Object.keys(event.data), got: event.data, mine: values() });

sonicDistribute((queue) => Map(queue, { data: values() }), [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
