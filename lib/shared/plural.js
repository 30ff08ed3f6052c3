"use strict";
// Counts in messages: "1 worker", "2 workers".

/** @param {number} count @param {string} one of them */
const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

module.exports = { plural };
