"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const keys = JSON.parse(
  '{"__proto__":{"polluted":1},"constructor":2,"toJSON":3,"2":"two","1":"one","":"empty","id":7,"data":8}',
);
const more = JSON.parse(
  '{"response":9,"failed":true,"error":"mine","then":1,"cmd":"NODE_LIKE","é\u2028":1,"hasOwnProperty":2}',
);
const master = async (queue) => {
  await Map(queue, { data: keys });
  await Map(queue, { data: more });
};
const stage = (event) => ({
  own: Object.keys(event.data),
  polluted: {}.polluted,
  all: { ...event.data },
});
const proto = (event) => ({
  seen: event.data,
  own: JSON.parse('{"__proto__":[1],"x":{"__proto__":null}}'),
});

sonicDistribute(master, [stage, proto], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
