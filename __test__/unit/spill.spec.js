"use strict";
/**
 * Promise: What workers spill comes back by key, whatever keys and values are, in chunks and from any position. What is
 * wrong throws an error with a code that says where. Folders of processes that are gone are removed, and no others.
 */
const assert = require("node:assert/strict");
const { afterEach, beforeEach, describe, it } = require("node:test");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const native = require("../../native");

/** @type {string} */
let temporary;
/** @type {string} */
let folder;

beforeEach(() => {
  temporary = fs.mkdtempSync(path.join(os.tmpdir(), "spill-spec-"));
  folder = path.join(native.spillBase(temporary, 3), "1");
});
afterEach(() => fs.rmSync(temporary, { recursive: true, force: true }));

/** The extents of a partition in what was told. */
const extentsOf = (partition, ...told) =>
  JSON.stringify(
    told
      .map((text) => JSON.parse(text))
      .flatMap(({ file, parts }) =>
        parts.filter(([p]) => p === partition).map(([, offset, length]) => [file, offset, length]),
      ),
  );

const write = (file, pairs, { partitions = 1, side = 0 } = {}) =>
  native.spillWrite(
    file,
    partitions,
    side,
    JSON.stringify(pairs.map(([key]) => key)),
    JSON.stringify(pairs.map(([, value]) => value)),
  );

/** All that a merge has, as `[key, values]`, of one chunk after the other. */
function readAll(extents, bytes = 1 << 20) {
  const all = [];
  let merge = native.spillRead(folder, extents, null);
  for (let chunk = native.spillNext(merge, bytes); chunk; chunk = native.spillNext(merge, bytes)) {
    const values = JSON.parse(chunk.values ?? "null");
    let at = 0;
    for (const [index, key] of JSON.parse(chunk.keys).entries()) {
      const own = values.slice(at, at + chunk.counts[index]);
      at += own.length;
      if (index === 0 && chunk.continues) all[all.length - 1][1].push(...own);
      else all.push([key, own]);
    }
    const position = native.spillPosition(merge);
    if (position !== null) merge = native.spillRead(folder, extents, position);
  }
  return all;
}

describe("spilled pairs", () => {
  it("come back by key, with the values in the order of writing", () => {
    const file = native.spillOpen(folder, "1-1");
    const keys = [
      null,
      false,
      true,
      -1.5,
      -0,
      0,
      2,
      10,
      1e21,
      "",
      "10",
      "2",
      "A",
      "a",
      "é",
      "\uffff",
    ];
    const odd = ["\u{1f600}", 'q"\\\n\u0000', "\ud800"];
    const pairs = [...keys, ...odd].reverse().map((key) => [key, { key }]);
    const told = [
      write(file, pairs),
      write(file, [
        ["a", 1],
        ["a", [2]],
        [2, "3"],
      ]),
    ];
    const order = [null, false, true, -1.5, 0, 2, 10, 1e21];
    const strings = ["", "10", "2", "A", "a", 'q"\\\n\u0000', "é", "\ud800", "\uffff", "\u{1f600}"];
    const all = readAll(extentsOf(0, ...told));
    assert.deepEqual(
      all.map(([key]) => key),
      [...order, ...strings],
    );
    const of = (key) => all.find(([own]) => own === key)?.[1];
    assert.deepEqual(of("a"), [{ key: "a" }, 1, [2]]);
    assert.deepEqual(of(2), [{ key: 2 }, "3"]);
    assert.equal(of(0)?.length, 2, "the two zeros are one key");
  });

  it("are in one partition by key, whoever writes", () => {
    const files = [1, 2, 3].map((id) => native.spillOpen(folder, `${id}-1`));
    const pairs = Array.from({ length: 1000 }, (_, n) => [`key ${n}`, n]);
    const told = files.map((file) => write(file, pairs, { partitions: 8 }));
    const seen = new Set();
    for (let partition = 0; partition < 8; partition++) {
      for (const [key, values] of readAll(extentsOf(partition, ...told), 500)) {
        assert.equal(values.length, 3);
        assert.equal(new Set(values).size, 1);
        seen.add(key);
      }
    }
    assert.equal(seen.size, 1000);
  });

  it("come in parts where a key has many values", () => {
    const file = native.spillOpen(folder, "1-1");
    const values = Array.from({ length: 5000 }, (_, n) => n);
    const told = write(file, [["a", 0], ...values.map((n) => ["hot", n]), ["z", 1]]);
    const merge = native.spillRead(folder, extentsOf(0, told), null);
    const chunks = [];
    for (let chunk = native.spillNext(merge, 1000); chunk; chunk = native.spillNext(merge, 1000)) {
      assert.equal(
        native.spillPosition(merge) === null,
        chunk.isPartial || chunk.keys.includes("z"),
      );
      chunks.push(chunk);
    }
    assert.ok(chunks.length > 3);
    assert.deepEqual(readAll(extentsOf(0, told), 1000), [
      ["a", [0]],
      ["hot", values],
      ["z", [1]],
    ]);
  });

  it("have side 0 before side 1", () => {
    const file = native.spillOpen(folder, "1-1");
    const right = write(
      file,
      [
        ["k", "right"],
        ["l", "right"],
      ],
      { side: 1 },
    );
    const left = write(file, [["k", "left"]]);
    const merge = native.spillRead(folder, extentsOf(0, right, left), null);
    const chunk = native.spillNext(merge, 1000);
    assert.equal(chunk?.values, '["left","right","right"]');
    assert.deepEqual([...(chunk?.sides ?? [])], [0, 1, 1]);
    assert.equal(native.spillNext(merge, 1000), null);
  });

  it("may be bytes", () => {
    const file = native.spillOpen(folder, "1-1");
    const bytes = Buffer.from('{"a":1}\u0000\u0001');
    const ends = Uint32Array.of(7, 7, 9);
    const told = native.spillWriteBytes(
      file,
      1,
      0,
      '["b","c","a"]',
      bytes,
      ends,
      Uint8Array.of(0, 4, 3),
    );
    const extents = extentsOf(0, told);
    const chunk = native.spillNext(native.spillRead(folder, extents, null), 1000);
    assert.equal(chunk?.values, null);
    assert.equal(chunk?.bytes?.toString(), '\u0000\u0001{"a":1}');
    assert.deepEqual([...(chunk?.ends ?? [])], [2, 9, 9]);
    assert.deepEqual([...(chunk?.formats ?? [])], [3, 0, 4]);
    const records = native.spillRecords(native.spillRead(folder, extents, null), 0x25, 1000);
    assert.equal(records?.isText, false);
    assert.deepEqual([...(records?.bytes.subarray(0, 8) ?? [])], [2, 0, 0, 0, 0x25, 3, 0, 1]);
  });

  it("are records of text, in order", () => {
    const file = native.spillOpen(folder, "1-1");
    const told = write(file, [
      [3, "c"],
      [1, { a: 1 }],
      [2, null],
    ]);
    const merge = native.spillRead(folder, extentsOf(0, told), null);
    const records = native.spillRecords(merge, 0x26, 1000);
    assert.equal(records?.isText, true);
    assert.equal(records?.bytes.toString(), '&{"a":1}\n&null\n&"c"');
    assert.equal(native.spillRecords(merge, 0x26, 1000), null);
  });

  it("are the same in one extent that is merged of several", () => {
    const files = [1, 2].map((id) => native.spillOpen(folder, `${id}-1`));
    const told = files.map((file, at) =>
      write(file, [
        ["b", at],
        ["a", at],
      ]),
    );
    const extents = extentsOf(0, ...told);
    const merged = native.spillMerge(files[0], folder, extents, 0);
    assert.equal(JSON.parse(merged).parts[0][3], 4);
    assert.deepEqual(readAll(extentsOf(0, merged)), readAll(extents));
  });
});

describe("an error of the spill", () => {
  const codes = {
    damage: "ERR_SONIC_SPILL",
    key: "ERR_INVALID_ARG_TYPE",
    value: "ERR_INVALID_ARG_VALUE",
  };

  it("names a key that is none", () => {
    const file = native.spillOpen(folder, "1-1");
    assert.throws(
      () =>
        write(file, [
          ["a", 1],
          [{ b: 2 }, 1],
        ]),
      {
        code: codes.key,
        message: 'a key must be a string, a number, a boolean or null, not {"b":2}',
      },
    );
    assert.deepEqual(fs.readdirSync(temporary), [], "nothing is created");
  });

  it("says which file is damaged, and where", () => {
    const file = native.spillOpen(folder, "1-1");
    const extents = extentsOf(0, write(file, [["a", 1]]));
    const name = path.join(folder, "1-1");
    const bytes = fs.readFileSync(name);
    bytes[bytes.length - 1] ^= 1;
    fs.writeFileSync(name, bytes);
    assert.throws(() => native.spillRead(folder, extents, null), {
      code: codes.damage,
      message: `${name} is damaged at offset 0: the checksum of a block is wrong`,
    });
    fs.unlinkSync(name);
    assert.throws(() => native.spillRead(folder, extents, null), { code: codes.damage });
  });

  it("refuses names, extents and positions that are none", () => {
    assert.throws(() => native.spillOpen(folder, "../1"), { code: codes.value });
    for (const extents of [
      "",
      "{}",
      '[["a",1]]',
      '[["../a",0,100]]',
      '[["a",-1,100]]',
      '[["a",0,1.5]]',
    ]) {
      assert.throws(() => native.spillRead(folder, extents, null), { code: codes.value }, extents);
    }
    const extents = extentsOf(0, write(native.spillOpen(folder, "1-1"), [["a", 1]]));
    assert.throws(() => native.spillRead(folder, extents, "x"), { code: codes.value });
  });

  it("says what the system said", () => {
    fs.writeFileSync(path.dirname(folder), "");
    const file = native.spillOpen(folder, "1-1");
    assert.throws(
      () => write(file, [["a", 1]]),
      (/** @type {any} */ error) => {
        assert.equal(error.code, codes.damage);
        assert.ok(error.message.includes(path.dirname(folder)), error.message);
        return true;
      },
    );
  });
});

describe("the folder of a pool", () => {
  it("has the process in its name, and is not created before something is written", () => {
    const base = native.spillBase(temporary, 3);
    assert.match(path.basename(base), new RegExp(`^sonic-spill-${process.pid}-[0-9a-f.]+-3$`));
    assert.deepEqual(fs.readdirSync(temporary), []);
    write(native.spillOpen(folder, "1-1"), [["a", 1]]);
    assert.deepEqual(fs.readdirSync(folder), ["1-1"]);
    if (process.platform !== "win32") assert.equal(fs.statSync(base).mode & 0o777, 0o700);
  });

  it("is swept once its process is gone, and removed when told", () => {
    write(native.spillOpen(folder, "1-1"), [["a", 1]]);
    const base = native.spillBase(temporary, 3);
    const gone = base.replace(`-${process.pid}-`, "-4194999-");
    fs.mkdirSync(gone);
    fs.mkdirSync(path.join(temporary, "sonic-spill-other"));
    native.spillSweep(temporary);
    assert.ok(fs.existsSync(base) && !fs.existsSync(gone));
    assert.throws(() => native.spillRemove(temporary), { code: "ERR_INVALID_ARG_VALUE" });
    native.spillRemove(base);
    native.spillRemove(base);
    assert.deepEqual(fs.readdirSync(temporary), ["sonic-spill-other"]);
  });
});
