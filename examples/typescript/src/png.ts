// Writes a grey picture as a PNG file.

import { deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const EIGHT_BITS_GREY = Buffer.from([8, 0, 0, 0, 0]);
const NO_FILTER = Buffer.of(0);

/** @param rows One byte per pixel; all rows have the same length. */
export function png(rows: readonly Uint8Array[]): Buffer {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(rows[0]?.length ?? 0, 0);
  size.writeUInt32BE(rows.length, 4);
  const pixels = Buffer.concat(rows.flatMap((pixels) => [NO_FILTER, pixels]));
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", Buffer.concat([size, EIGHT_BITS_GREY])),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const checked = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(checked));
  return Buffer.concat([length, checked, checksum]);
}

function crc32(data: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
