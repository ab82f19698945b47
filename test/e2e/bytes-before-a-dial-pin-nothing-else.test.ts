import { expect } from '@jest/globals';
import { encodeFrame, headerBytes } from '@adit/shared/protocol/mux/frame';
import { type Egress, startEgress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { dataFrames, FrameClient } from '../support/frame-client.ts';
import { scenario } from '../support/scenario.ts';
import { within } from '../support/scope.ts';
import { service } from '../support/services.ts';

const mebibyte = 2 ** 20;
/** One TLS record each: a byte that waits, and padding. */
const [records, recordBytes] = [16_384, 16_384];
/** More than in the control run. */
const allowedBytes = 40 * mebibyte;
const unknownType = 0x90;
const excessive = 4;

interface Attack {
  readonly process: Egress['process'];
  readonly session: FrameClient;
  /** Its dial hangs. */
  readonly waiting: number;
  /** Its service reads. */
  readonly read: number;
}

/** A session with a stream whose service never completes its TLS handshake, and one whose service reads. */
async function attack(): Promise<Attack> {
  const silent = await service(() => {}, { pauseOnConnect: true });
  const reader = await service((socket) => socket.resume());
  const certs = certificates();
  const { port, process } = await startEgress({ certificates: certs, flags: ['--dial-timeout', '10m'] });
  const session = await FrameClient.connect({ port, certs }, certs.client('alice'));
  const to = { kind: 'host', host: '127.0.0.1' } as const;
  const waiting = session.open({ ...to, port: silent.port, tls: true });
  const read = session.open({ ...to, port: reader.port });
  await session.opened(read);
  return { process, session, waiting, read };
}

/** By how much an egress grows by many records of one byte of a stream, and DATA of the stream that is read. */
async function growth(stream: 'waiting' | 'read'): Promise<number> {
  const { process, session, ...streams } = await attack();
  const before = await process.residentBytes();
  const byte = dataFrames(streams[stream], 1, 1);
  const padding = recordBytes - byte.length - headerBytes;
  const record = Buffer.concat([byte, dataFrames(streams.read, padding, padding)]);

  for (let n = 0; n < records; n++) {
    await session.until('credit', () => session.credit(streams.read) > recordBytes);
    await session.sendOn(streams.read, padding + (stream === 'read' ? 1 : 0), record);
  }
  await session.parsed();
  const after = await process.residentBytes();

  expect(session.lost.size).toBe(0);
  session.duplex.destroy();
  await process.stop();
  return after - before;
}

scenario('bytes that wait for a dial do not pin the bytes of other streams around them', [], async () => {
  const control = await growth('read');

  const waiting = await growth('waiting');

  expect(waiting - control).toBeLessThan(allowedBytes);
});

scenario('frames of an unknown type are no free padding: the session ends with a code', [], async () => {
  const { process, session, waiting } = await attack();
  const before = await process.residentBytes();
  const byte = dataFrames(waiting, 1, 1);
  const padding = encodeFrame(unknownType, 0, new Uint8Array(recordBytes - byte.length - headerBytes));
  const record = Buffer.concat([byte, padding]);

  for (let n = 0; n < records && !session.duplex.destroyed; n++)
    await session.send(record).catch(() => {
      /* the egress has closed the connection: `closed` tells how */
    });

  expect(await within(30_000, 'the end of the session', session.closed)).toMatchObject({ code: excessive });
  expect((await process.residentBytes()) - before).toBeLessThan(allowedBytes);
});
