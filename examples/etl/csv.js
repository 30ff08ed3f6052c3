"use strict";
// Reads and writes lines of CSV as RFC 4180 has them. A field may not contain a line end: files are cut at line ends.

const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** The fields of a line. Throws if it is malformed. @param {string} line */
function fieldsOf(line) {
  const fields = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const found = FIELD.exec(line);
    if (found === null) throw new Error(`field ${fields.length + 1} is malformed`);
    const [, quoted, plain, end] = found;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "") return fields;
  }
}

/** @param {(string | number)[]} fields */
const lineOf = (fields) => `${fields.map(quoted).join(",")}\n`;

const quoted = (field) =>
  /[",\r\n]/.test(String(field)) ? `"${String(field).replaceAll('"', '""')}"` : String(field);

module.exports = { fieldsOf, lineOf };
