"use strict";
// What `Map` returns for an event for which there is room: one promise for all.

const { Promise } = require("./primordials");

const HANDED_OVER = Promise.resolve();

module.exports = { HANDED_OVER };
