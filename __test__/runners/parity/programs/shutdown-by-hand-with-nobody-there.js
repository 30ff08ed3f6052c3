"use strict";
const { shutdown } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

shutdown(3).then((value) => report({ value }));
