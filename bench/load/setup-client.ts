/**
 * Program: `node setup-client.ts PORT WARM-UPS COUNT`. Connects to 127.0.0.1:PORT, asks, stops the clock at the first
 * byte, waits for the end of the answer, closes, and does it again; then writes COUNT times in milliseconds as JSON.
 * Rule: between two timings everything of the former connection is over; a connection that ends without an answer fails
 * the whole.
 */
import { connect } from 'node:net';

const [port, warmUps, count] = process.argv.slice(2).map(Number) as [number, number, number];
const request = Buffer.from('GET / HTTP/1.0\r\n\r\n');

function once(): Promise<number> {
  return new Promise((resolve, reject) => {
    let elapsed: number | undefined;
    const start = performance.now();
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', reject);
    socket.once('data', () => {
      elapsed = performance.now() - start;
    });
    socket.on('close', () =>
      elapsed === undefined ? reject(new Error('a connection ended without an answer')) : resolve(elapsed),
    );
    socket.write(request);
  });
}

try {
  for (let at = 0; at < warmUps; at++) await once();
  const times: number[] = [];
  for (let at = 0; at < count; at++) times.push(await once());
  process.stdout.write(JSON.stringify(times));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
