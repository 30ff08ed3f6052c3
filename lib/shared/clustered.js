"use strict";
// The names of stages that a worker has for a master with several machines, beside those of the program.

const KEEP = "…keep";
const ANSWER = "…answer";
const FUNCTION = "…function ";

module.exports = { ANSWER, FUNCTION, KEEP };
