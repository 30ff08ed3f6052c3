"use strict";
// Loaded into a host before its program: its clock is wrong by an hour, from when the file in WRONG_CLOCK is there. What measures time
// rather than tells it goes on as it was.

const { existsSync } = require("fs");

const HOUR = 3600e3;
const { WRONG_CLOCK, CLOCK_ERROR } = process.env;
const RealDate = Date;
const { now } = Date;
const error = Math.sign(Number(CLOCK_ERROR)) * HOUR;
let isWrong = false;

const time = () => {
  isWrong = isWrong || existsSync(/** @type {string} */ (WRONG_CLOCK));
  return isWrong ? now() + error : now();
};

class WrongDate extends RealDate {
  constructor(...args) {
    super(.../** @type {[number]} */ (args.length === 0 ? [time()] : args));
  }

  static now() {
    return time();
  }
}

global.Date = /** @type {any} */ (WrongDate);
