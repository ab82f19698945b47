/**
 * A program that floods an egress with streams that come to nothing: OPEN and RESET at 0.5 MiB/s, over session after
 * session. It comes back whenever it is closed or refused, up to 50 times a second.
 * usage: node open-flood.ts PORT CA CERT KEY HOST:PORT; says `flooding` when the first frames are sent, and at its end
 * by SIGTERM how many sessions and pairs there were, and how many attaches were refused.
 */
import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { putU32 } from '@adit/shared/protocol/bytes';
import { connectSession } from '@adit/shared/session/connect';
import { openFrame, resetFrame } from './hostile-frames.ts';
import { tlsCarrier } from './tls-carrier.ts';

const [port, ca, cert, key, to] = process.argv.slice(2).map(String) as [string, string, string, string, string];
const [host, servicePort] = [to.slice(0, to.lastIndexOf(':')), Number(to.slice(to.lastIndexOf(':') + 1))];
const bytesPerSecond = 524_288;
const everyMs = 20;
const open = Buffer.from(openFrame(1, { host, port: servicePort }));
const pair = Buffer.concat([open, resetFrame(1)]);
const pairsPerWrite = Math.ceil((bytesPerSecond * everyMs) / 1000 / pair.length);
const counts = { sessions: 0, refused: 0, pairs: 0 };

/** So many OPENs, each with its RESET, from stream `first` on. */
function pairs(first: number): Buffer {
  const out = Buffer.alloc(pair.length * pairsPerWrite);
  for (let n = 0; n < pairsPerWrite; n++) {
    const at = n * pair.length;
    out.set(pair, at);
    putU32(out, at + 4, first + 2 * n);
    putU32(out, at + open.length + 4, first + 2 * n);
  }
  return out;
}

async function flood(socket: TLSSocket): Promise<void> {
  await once(socket, 'secureConnect');
  await connectSession(tlsCarrier(socket, 'egress'), { window: 262_144, agent: 'flood', deadlineMs: 30_000 });
  counts.sessions++;
  socket.resume();
  for (let first = 1; !socket.destroyed && socket.writable; first += 2 * pairsPerWrite) {
    if (!socket.write(pairs(first))) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    counts.pairs += pairsPerWrite;
    if (counts.pairs === pairsPerWrite) console.log('flooding');
    await delay(everyMs);
  }
}

process.once('SIGTERM', () => {
  console.log(JSON.stringify(counts));
  process.exit(0);
});
for (;;) {
  const socket = connect({
    host: '127.0.0.1',
    port: Number(port),
    servername: 'localhost',
    ca: readFileSync(ca),
    cert: readFileSync(cert),
    key: readFileSync(key),
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['adit/1'],
  });
  socket.on('error', () => {
    /* closed, which is what it waits for */
  });
  await flood(socket).catch(() => {
    counts.refused++;
  });
  socket.destroy();
  await delay(everyMs);
}
