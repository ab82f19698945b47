import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { connectSession, RefusedError } from '@adit/shared/session/connect';
import { policyOf } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { atEnd, eventually, within } from '../support/scope.ts';
import { hashing } from '../support/services.ts';
import { steady } from '../support/steady.ts';
import { tlsCarrier } from '../support/tls-carrier.ts';
import { tlsTo } from '../support/wire.ts';

const mebibyte = 2 ** 20;
/** How often one identity may attach without moving anything: docs/resumption.md. */
const [perSecond, burst] = [20, 100];
const maxHandshakes = 64;
/** Garbage does not pile up: what grows is held. */
const smallHeap = { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2' };

/** An egress for alice, whose ingress sends all the time until it is told to stop, and for mallory. */
async function setUp() {
  const files = certificates();
  const sums = await hashing();
  const { egress, network, ingress } = await openCuttableTunnel({
    to: { sums: sums.at },
    policy: policyOf({ identities: ['alice', 'mallory'], allow: ['127.0.0.1:*'] }),
    egress: {
      certificates: files,
      flags: ['--max-handshakes', String(maxHandshakes)],
      process: { env: smallHeap },
    },
  });
  const transfer = await steady(ingress.ports['sums']!);
  await eventually('her stream at the service', () => sums.sockets.size > 0);
  return {
    files,
    egress,
    network,
    ingress,
    transfer,
    descriptors: () => readdirSync(`/proc/${egress.process.pid}/fd`).length,
  };
}
type Resume = NonNullable<Parameters<typeof connectSession>[1]['resume']>;
const invented = (): Resume => ({
  id: randomBytes(16),
  key: randomBytes(32),
  epoch: 1,
  position: { offset: 0, partial: 0 },
});

test(
  'a flood of resumes by one identity is answered with OVERLOAD and a hint, in bounded memory; another identity ' +
    'sends and resumes',
  async () => {
    const { files, egress, network, ingress, transfer, descriptors } = await setUp();
    const mallory = files.client('mallory');
    const options = { window: 262_144, agent: 'flood', deadlineMs: 30_000 };
    const founded = await tlsTo(egress.port, files, mallory);
    const { secret } = await connectSession(tlsCarrier(founded, 'egress'), options);
    const answers = new Map<string, number>();
    let epoch = 0;
    const attempt = async (resume: Resume): Promise<void> => {
      const socket = await tlsTo(egress.port, files, mallory);
      const answer = await connectSession(tlsCarrier(socket, 'egress'), { ...options, resume }).then(
        () => 'welcome',
        (error: unknown) => error,
      );
      socket.destroy();
      if (answer !== 'welcome' && !(answer instanceof RefusedError)) throw answer;
      const code = answer instanceof RefusedError ? answer.code : 'welcome';
      answers.set(code, (answers.get(code) ?? 0) + 1);
      if (answer instanceof RefusedError) expect(answer.retryAfterMs).toBe(code === 'OVERLOAD' ? 1_000 : 0);
    };
    const count = (code: string): number => answers.get(code) ?? 0;
    /** Sixteen at a time, until so many were told OVERLOAD. */
    const flood = async (resume: () => Resume, overloads: number): Promise<void> => {
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          while (count('OVERLOAD') < overloads && performance.now() < startedMs + 180_000) await attempt(resume());
        }),
      );
    };
    const [before, startedMs] = [{ bytes: transfer.bytes, descriptors: descriptors() }, performance.now()];

    await within(60_000, 'the first hundred OVERLOADs', flood(invented, 100), () => egress.process.output);
    const resident = await egress.process.residentBytes();
    const during = within(60_000, 'six hundred OVERLOADs', flood(invented, 600), () => egress.process.output);
    network.cut(); // alice comes back in the middle of it
    await ingress.process.event('connected', { resumed: true });
    await during;
    // With the right key, too: each of these would replace the carrier of the one before, and moves nothing.
    await within(
      60_000,
      'eight hundred OVERLOADs',
      flood(() => ({ ...secret, epoch: ++epoch, position: { offset: 0, partial: 0 } }), 800),
      () => egress.process.output,
    );

    const seconds = (performance.now() - startedMs) / 1000;
    expect(count('NOT_RESUMABLE')).toBeGreaterThan(0);
    expect(count('NOT_RESUMABLE') + count('welcome')).toBeLessThanOrEqual(burst + perSecond * seconds);
    await egress.process.event('denied', { code: 'OVERLOAD', identity: /mallory$/ }, { nth: count('OVERLOAD') });
    expect(egress.process.all('denied', { code: 'OVERLOAD', identity: /mallory$/ })).toHaveLength(count('OVERLOAD'));
    expect(await egress.process.residentBytes()).toBeLessThan(resident + 32 * mebibyte);
    expect(transfer.bytes).toBeGreaterThan(before.bytes);
    await transfer.finish();
    expect(ingress.process.all('connected').map(({ resumed }) => resumed)).toEqual([false, true]);
    expect(egress.process.all('denied', { identity: /alice$/ })).toEqual([]);
    founded.destroy();
    await eventually('the descriptors of the flood', () => descriptors() <= before.descriptors, {
      detail: () => `${descriptors()} instead of ${before.descriptors}`,
    });
  },
  240_000,
);

test('connections at their handshake are bounded; a session does not notice and resumes beside them', async () => {
  const { egress, network, ingress, transfer, descriptors } = await setUp();
  const before = descriptors();
  const idle = Array.from({ length: 4 * maxHandshakes }, () => {
    const socket = connect({ port: egress.port, host: '127.0.0.1' }).on('error', () => {});
    atEnd(() => {
      socket.destroy();
    });
    return socket;
  });

  await within(
    30_000,
    'the surplus to be dropped',
    new Promise<void>((resolve) => {
      let dropped = 0;
      for (const socket of idle)
        socket.once('close', () => {
          if (++dropped === 3 * maxHandshakes) resolve();
        });
    }),
  );

  expect(descriptors()).toBeLessThanOrEqual(before + maxHandshakes);
  expect(await egress.process.event('denied', { code: 'OVERLOAD' })).toMatchObject({
    reason: expect.stringContaining('at their handshake'),
  });
  await transfer.more(8 * mebibyte);
  expect(ingress.process.all('detached')).toEqual([]);
  network.cut();
  await ingress.process.event('connected', { resumed: true });
  await transfer.finish();
  expect(ingress.process.all('connected')).toHaveLength(2);
}, 120_000);
