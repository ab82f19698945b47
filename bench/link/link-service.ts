/**
 * Program: `node link-service.ts PORT`. The service at the far end of a link; the first byte of a connection says what
 * it does: `h` answers one byte, `e` echoes, `u` takes bytes and says every 50 ms how many have arrived (8 bytes, big
 * endian), `d` sends without end.
 * Rule: a connection that breaks is only its client's concern.
 */
import { createServer, type Socket } from 'node:net';

const block = Buffer.alloc(65_536);
const reportMs = 50;

const kinds: Readonly<Record<string, (socket: Socket, first: Buffer) => void>> = {
  h: (socket) => socket.write('y'),
  e: (socket, first) => {
    socket.on('data', (chunk) => socket.write(chunk));
    if (first.length > 1) socket.write(first.subarray(1));
  },
  u: (socket, first) => {
    let arrived = first.length - 1;
    socket.on('data', (chunk) => {
      arrived += chunk.length;
    });
    const report = Buffer.alloc(8);
    const timer = setInterval(() => {
      report.writeBigUInt64BE(BigInt(arrived));
      socket.write(Buffer.from(report));
    }, reportMs);
    socket.on('close', () => clearInterval(timer));
  },
  d: (socket) => {
    const pour = (): void => {
      while (socket.write(block));
    };
    socket.on('drain', pour);
    pour();
  },
};

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', (first) => {
    const kind = kinds[String.fromCharCode(first[0]!)];
    if (kind === undefined) socket.destroy();
    else kind(socket, first);
  });
}).listen(Number(process.argv[2]), '0.0.0.0');
