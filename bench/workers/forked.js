"use strict";
// A child of bare `child_process.fork`.

const { serve } = require("../serve");
const { WARM_UP } = require("../warm-up");

process.on("message", (data) => {
  if (data !== WARM_UP) process.send(serve(data));
  else serve(data).then((name) => process.send(name));
});
