"use strict";
// The worker of worker-farm, which answers through a callback.

const { serve } = require("../serve");

module.exports = (data, done) => {
  const answer = serve(data);
  if (answer instanceof Promise) answer.then((name) => done(null, name));
  else done(null, answer);
};
