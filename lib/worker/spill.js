"use strict";
// What a flow writes into files and reads from them.
/** @typedef {any} Pairs */
