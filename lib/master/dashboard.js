"use strict";
// Which pools and runs a live dashboard shows. Loads the dashboard only for a program that has one.

const { isAsked } = require("./ancestor");
const { variable } = require("../shared/own");

/** @typedef {import("../shared/options").Options} Options */
/** What a pool tells its dashboard. @typedef {InstanceType<typeof import("./live-pool").LivePool>} Observer */
/** `kind`: the function that made it. @typedef {{ kind: "createPool" | "MapReduce" | "stream" | "initMaster", title: string }} About */

const VARIABLE = "SONIC_DASHBOARD";

/** Where the dashboard is to be; undefined if there is to be none. @param {Options} options */
function placeOf({ dashboard }) {
  if (dashboard !== undefined) return dashboard || undefined;
  const text = variable(VARIABLE);
  // A program that this one's own parent started shows nothing: its port would be taken.
  if (text === undefined || isAsked()) return undefined;
  const { placeIn } = require("../shared/dashboard");
  return placeIn(VARIABLE, text, variable(`${VARIABLE}_TOKEN`)) || undefined;
}

/** Whether a run has a dashboard. @param {Options} options */
const hasDashboard = (options) => placeOf(options) !== undefined;

/** Shows a pool until it is closed. @param {any} pool @param {Options} options @param {About} about */
function showLive(pool, options, about) {
  const place = placeOf(options);
  if (place !== undefined) require("./live").show(pool, place, about);
}

module.exports = { hasDashboard, showLive };
