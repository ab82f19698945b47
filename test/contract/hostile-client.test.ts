import { randomInt, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import { encodeOpen } from '@adit/shared/protocol/open';
import { connectSession } from '@adit/shared/session/connect';
import { encodeFrame } from '../../packages/shared/src/protocol/mux/frame.ts';
import { testCarrier, testEgress, testSession, testStream } from '../support/in-process.ts';
import { closedPort, echo } from '../support/services.ts';
import { within } from '../support/scope.ts';

/** Frames that a session might send, in no order that makes sense, with nonsense among them. */
function frames(ports: readonly number[]): Buffer {
  const out: Uint8Array[] = [];
  for (let n = randomInt(1, 40); n > 0; n--) {
    const id = randomInt(20) === 0 ? randomInt(30) : 2 * randomInt(12) + 1;
    const open = encodeOpen({
      destination: { kind: 'host', host: '127.0.0.1', port: ports[randomInt(ports.length)]! },
      frontEnd: 'forward',
      client: 'local',
    });
    const kinds: (() => Uint8Array)[] = [
      () => encodeFrame(0x01, id, open),
      () => encodeFrame(0x01, id, open),
      () => encodeFrame(0x01, id, randomBytes(randomInt(0, 30))),
      () => encodeFrame(0x00, id, randomBytes(randomInt(1, 2_000))),
      () => encodeFrame(0x04, id, Buffer.from([randomInt(0, 256), 0, 0, 0])),
      () => encodeFrame(0x05, id, Buffer.alloc(0)),
      () => encodeFrame(0x06, id, Buffer.from([0, 24])),
      () => encodeFrame(0x80, 0, Buffer.concat([Buffer.alloc(7), randomBytes(5)])),
      () => encodeFrame(0x81, 0, randomBytes(8)),
      () => encodeFrame(0x83, 0, Buffer.from([0, 0, randomInt(0, 2)])),
      () => encodeFrame(0x09, 0, randomBytes(randomInt(0, 14))),
      () => encodeFrame(randomInt(0, 256), id, randomBytes(randomInt(0, 20))),
      () => randomBytes(randomInt(1, 12)),
    ];
    // What is most often valid comes first, so that histories get somewhere.
    out.push(kinds[Math.min(randomInt(kinds.length), randomInt(kinds.length))]!());
  }
  return Buffer.concat(out);
}

async function attack(carrier: Carrier, bytes: Buffer): Promise<void> {
  await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
  const { duplex } = carrier;
  const closed = new Promise((resolve) => duplex.once('close', resolve));
  duplex.resume();
  for (let at = 0; at < bytes.length && !duplex.destroyed;) {
    const length = randomInt(1, 600);
    duplex.write(bytes.subarray(at, at + length));
    at += length;
    if (randomInt(4) === 0) await new Promise(setImmediate);
  }
  if (randomInt(2) === 0) duplex.end();
  else duplex.destroy();
  await closed;
}

test('clients that talk nonsense behind a valid certificate harm only themselves and leave nothing', async () => {
  const service = await echo();
  const egress = await testEgress({ maxSessionsPerIdentity: 1_000, resumeWindowMs: 0 });
  const ports = [service.port, service.port, await closedPort()];
  const honest = await testSession(egress, egress.certs.client('honest'));
  for (let attacker = 0; attacker < 4; attacker++) {
    const pair = egress.certs.client(`attacker-${attacker}`);
    for (let round = 0; round < 15; round++)
      await Promise.all(Array.from({ length: 5 }, async () => attack(await testCarrier(egress, pair), frames(ports))));
  }
  const { stream } = testStream(honest, service.at);
  const answer = new Promise<string>((resolve) => {
    stream.events = {
      opened: () => {},
      refused: ({ reason }) => resolve(reason),
      data: (bytes) => resolve(Buffer.from(bytes).toString()),
      end: () => {},
      reset: ({ reason }) => resolve(reason),
      writable: () => {},
    };
  });
  stream.sendCopy(Buffer.from('still here'));
  expect(await within(30_000, 'the answer', answer)).toBe('still here');
  stream.reset({ code: 0, reason: '' });
  const disconnected = (): number => egress.lines.filter(({ event }) => event === 'disconnected').length;
  await within(
    30_000,
    'the end of every hostile session',
    (async () => {
      while (disconnected() < 300) await new Promise(setImmediate);
    })(),
    () => `${disconnected()} ended`,
  );
  await within(
    30_000,
    'the end of every hostile stream',
    (async () => {
      while (egress.server.streams > 0) await new Promise(setImmediate);
    })(),
    () => `${egress.server.streams} live on`,
  );
});
