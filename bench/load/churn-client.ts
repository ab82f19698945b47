/**
 * Program: `node churn-client.ts PORT COUNT`. Makes COUNT connections to 127.0.0.1:PORT, 64 at a time; each asks, reads
 * the answer to its end, and is closed.
 * Rule: a connection that ends without an answer fails the whole.
 */
import { connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const request = Buffer.from('GET / HTTP/1.0\r\n\r\n');
/** Open at a time. */
const concurrency = 64;

function once(): Promise<void> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', reject);
    socket.on('data', () => {
      answered = true;
    });
    socket.on('close', () => (answered ? resolve() : reject(new Error('a connection ended without an answer'))));
    socket.write(request);
  });
}

let left = count;
try {
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) await once();
    }),
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
}
