/**
 * Fetches bytes over one TCP connection and hashes them as they come, in a process of its own so that the clock
 * measures the tunnel and not the demo. Tells its parent how far it is and, at the end, how many bytes came, their
 * SHA-256 and the seconds from connecting to the last one.
 * usage: download.ts PORT SIZE
 */
import { createHash } from 'node:crypto';
import net from 'node:net';

export interface Downloaded {
  readonly bytes: number;
  readonly sha256: string;
  readonly seconds: number;
}
export interface Downloading {
  readonly soFar: number;
}

const tellEveryBytes = 16 << 20;
const bufferBytes = 1 << 18;

const [port, size] = process.argv.slice(2).map(Number) as [number, number];
const hash = createHash('sha256');
let bytes = 0;
let told = 0;

process.once('disconnect', () => process.exit());
const startedAtMs = performance.now();
const socket = net.connect({
  port,
  host: '127.0.0.1',
  onread: {
    buffer: Buffer.alloc(bufferBytes),
    callback: (length, buffer) => {
      hash.update(length === buffer.length ? buffer : buffer.subarray(0, length));
      bytes += length;
      if (bytes - told >= tellEveryBytes) {
        told = bytes;
        process.send!({ soFar: bytes } satisfies Downloading);
      }
      return true;
    },
  },
});
socket.write(`${size}\n`);
socket.on('error', (error) => {
  process.stderr.write(`the download broke after ${bytes} bytes: ${error.message}\n`, () => process.exit(1));
});
socket.on('end', () => {
  const result: Downloaded = { bytes, sha256: hash.digest('hex'), seconds: (performance.now() - startedAtMs) / 1000 };
  process.send!(result, () => process.exit(0));
});
