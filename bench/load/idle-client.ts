/**
 * Program: `node idle-client.ts PORT COUNT`. Opens COUNT connections to 127.0.0.1:PORT with one answered request on
 * each, says `open COUNT`, holds them until its standard input ends, says `held N` (how many the other side left open)
 * and ends.
 */
import { type Socket, connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const request = Buffer.from('GET / HTTP/1.1\r\nHost: bench\r\n\r\n');
/** Connections being opened at a time. */
const concurrency = 16;
const held = new Set<Socket>();

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('data', () => {
      held.add(socket);
      resolve();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      held.delete(socket);
      reject(new Error('a connection was closed'));
    });
    socket.write(request);
  });
}

let left = count;
try {
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) await open();
    }),
  );
  process.stdout.write(`open ${held.size}\n`);
  process.stdin.resume().once('end', () => process.stdout.write(`held ${held.size}\n`, () => process.exit(0)));
} catch (error) {
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)} (${held.size} of ${count} were open)\n`,
    () => process.exit(1),
  );
}
