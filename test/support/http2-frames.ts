/**
 * Frames of HTTP/2 by hand (RFC 9113 section 4.1), for a peer that keeps to no rule of its own library.
 * Byte shape: LENGTH(3) TYPE(1) FLAGS(1) STREAM(4), then the payload. Header blocks use HPACK without its tables and
 * without Huffman codes (RFC 7541 section 6.2.2).
 */

/** The connection preface, and SETTINGS by which the peer sends no DATA (an initial window of 0). */
export const silentPreface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(4, { flags: 0, stream: 0 }, Buffer.from([0, 4, 0, 0, 0, 0])),
]);

/** A request whose body is announced and never sent, with a field of this many bytes. */
export function openRequest(stream: number, { path, padding }: { readonly path: string; readonly padding: number }) {
  const block = [
    literal(':method', 'GET'),
    literal(':scheme', 'https'),
    literal(':path', path),
    literal(':authority', 'localhost'),
    literal('x-padding', 'x'.repeat(padding)),
  ];
  return frame(1, { flags: 4, stream }, Buffer.concat(block));
}

function frame(
  type: number,
  { flags, stream }: { readonly flags: number; readonly stream: number },
  payload: Buffer,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A field that is not added to the table. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

/** A length in 7 bits and more (RFC 7541 section 5.1), and the text. */
function text(value: string): Buffer {
  const length = [Math.min(127, value.length)];
  if (value.length >= 127) {
    let left = value.length - 127;
    for (; left >= 128; left >>= 7) length.push((left & 127) | 128);
    length.push(left);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(value)]);
}
