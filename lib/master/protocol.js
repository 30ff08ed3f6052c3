"use strict";
// What a listening pool and its clients say to each other over a socket. Each frame is 4 bytes with the length of all that follows
// them, 4 bytes with the length of its text, the text, and sections of bytes. The text is a JSON array of messages; a message is an
// array that begins with its kind. A value is two items of it: its format, and the JSON itself or the length of its section. The pool
// speaks first, so that a client knows whom it sends the token to.

const { version: PACKAGE } = require("../../package.json");

/** Changes with whatever is written here. */
const PROTOCOL = 2;

/** From the pool to a client. */
const TO_CLIENT = {
  /** protocol, version of the package */
  GREETING: 1,
  /** code, message: the connection ends */
  REFUSED: 2,
  /** encoding, names of the stages, names of those that are flows */
  WELCOME: 3,
  /** workers, statistics */
  STATE: 4,
  /** id, value: what was asked for has this answer */
  DONE: 5,
  /** id, values: the same of `EACH` */
  EACH_DONE: 6,
  /** id, attempts, worker, pid, error as it was told: an event has failed. Without attempts, another error has this plain object. */
  FAILED: 7,
  /** id of a map or run, how many of its events were taken */
  TAKEN: 8,
  /** id of a map or run, id of an event that waited for workers of its own, error or none */
  TAKEN_ONE: 9,
  /** id of a run, worker, flags, data, response or error, sink or node of a flow */
  ENTRY: 10,
  /** id of a run: all its entries were sent */
  DRAINED: 11,
  /** id of a map or run, error: it cannot go on */
  BROKEN: 12,
  /** error or none: nothing new is taken in */
  CLOSING: 13,
  /** all that was taken in has ended: the connection ends */
  CLOSED: 14,
  /** reply as JSON, value or none: of a lock, or of what else the pool's program shares; see src/wire/sync.rs */
  TOLD: 15,
};

/** From a client to the pool. */
const TO_POOL = {
  /** protocol, version of the package, token, names of the program's classes of errors */
  HELLO: 1,
  /** id, work, options, args, whether it may be stopped, data */
  CALL: 2,
  /** id, work, options, args, data */
  EACH: 3,
  /** id of the `EACH`: its work is kept no longer */
  DISPOSE: 4,
  /** id, number of workers */
  RESIZE: 5,
  /** The state is wanted. */
  LOOK: 6,
  /** id, work, options, args */
  OPEN_MAP: 7,
  /** id, work, options, args */
  OPEN_RUN: 8,
  /** id of a map or run, id of the event, whether `TAKEN_ONE` tells of it, routing, whether the value is more than its data, value */
  EVENT: 9,
  /** id of a run: there are no more events */
  INPUT_ENDED: 10,
  /** id of a run, how many of its entries were read */
  READ: 11,
  /** id of a call, map or run: what has not started does not, and what runs is ended */
  STOP: 12,
  /** id of a map: it is over */
  LEAVE: 13,
  /** question as JSON, value or none: see `TOLD` */
  ASK: 14,
};

/** In the place of a `taskTimeout` that JSON has not. */
const INFINITY = "Infinity";

/** Flags of an `ENTRY`. */
const HAS_DATA = 1;
const HAS_RESPONSE = 2;
const HAS_FAILED = 4;
const HAS_PLACE = 8;

module.exports = {
  HAS_DATA,
  HAS_FAILED,
  HAS_PLACE,
  HAS_RESPONSE,
  INFINITY,
  PACKAGE,
  PROTOCOL,
  TO_CLIENT,
  TO_POOL,
};
