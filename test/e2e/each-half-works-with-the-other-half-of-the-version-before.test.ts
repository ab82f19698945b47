import { expect } from '@jest/globals';
import { type AditOptions, openTunnel, policyOf, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { survivesThreeKills } from '../support/kills.ts';
import { newCa, newClient } from '../support/issuer.ts';
import { olderAdit } from '../support/older-version.ts';
import { pouring, poursBothWays } from '../support/pouring.ts';
import { scenario } from '../support/scenario.ts';
import { ask, closedPort, echo, endingOf, hashing } from '../support/services.ts';
import { shared } from '../support/shared.ts';

const older = shared(() => Promise.resolve(olderAdit()));
/** Building it takes a while on a machine that has not. */
const timeoutMs = 600_000;

interface Versions {
  readonly egress: AditOptions;
  readonly ingress: AditOptions;
}
const pairs: readonly (readonly [string, () => Promise<Versions>])[] = [
  ['an older egress and this ingress', async () => ({ egress: { program: await older() }, ingress: {} })],
  ['this egress and an older ingress', async () => ({ egress: {}, ingress: { program: await older() } })],
];

for (const [pair, versions] of pairs) {
  for (const carrier of ['tls', 'websocket'])
    scenario(
      `${pair} carry bytes both ways at once, over ${carrier}`,
      ['git', 'tar'],
      async () => {
        const { egress, ingress } = await versions();
        const [pours, echoes] = [await pouring(64), await echo()];
        const tunnel = await openTunnel({
          to: { pours: pours.at, echo: echoes.at },
          egress: { process: egress },
          ingress: { process: ingress, flags: ['--carrier', carrier] },
        });

        const bulk = poursBothWays(pours, {
          port: tunnel.port('pours'),
          megabytes: 64,
          withinMs: 100_000,
          detail: () => tunnel.ingress.process.output,
        });
        // Small streams open and close beside it.
        for (let n = 0; n < 50; n++) expect(await ask(tunnel.port('echo'), `small ${n}`)).toBe(`small ${n}`);
        await bulk;
      },
      timeoutMs,
    );

  scenario(
    `${pair} resume their session after each of three cuts, and lose no byte`,
    ['git', 'tar'],
    async () => {
      const { egress, ingress } = await versions();
      const tunnel = await openCuttableTunnel({
        to: { echo: (await echo()).at, hashes: (await hashing()).at },
        egress: { process: egress },
        ingress: { process: ingress },
      });
      await survivesThreeKills(tunnel, { megabytes: 32, hashWithinMs: 60_000 });
    },
    timeoutMs,
  );

  scenario(
    `${pair} refuse a stream with the same code, and a client with a reset`,
    ['git', 'tar'],
    async () => {
      const { egress, ingress } = await versions();
      const dead = await closedPort();
      const tunnel = await openTunnel({
        to: { denied: '127.0.0.1:9', unknown: 'nosuchservice', refused: `127.0.0.1:${dead}` },
        policy: policyOf({ allow: [`127.0.0.1:${dead}`] }),
        egress: { process: egress },
        ingress: { process: ingress },
      });
      for (const [at, [name, code, reason]] of [
        ['denied', 'POLICY_DENIED', /does not allow alice to reach 127\.0\.0\.1:9/],
        ['unknown', 'UNKNOWN_SERVICE', /nosuchservice/],
        ['refused', 'CONNECTION_REFUSED', /127\.0\.0\.1/],
      ].entries() as ArrayIterator<[number, [string, string, RegExp]]>) {
        expect(await endingOf(tunnel.port(name))).toBe('reset');
        expect(await tunnel.ingress.process.event('refused', {}, { nth: at + 1 })).toMatchObject({
          code,
          reason: expect.stringMatching(reason),
        });
      }
    },
    timeoutMs,
  );

  scenario(
    `${pair} refuse a session with the reason, and the ingress ends with 4`,
    ['git', 'tar'],
    async () => {
      const { egress, ingress } = await versions();
      const files = certificates();
      const { port } = await startEgress({ certificates: files, process: egress });
      const stranger = files.write('stranger', newClient(newCa('Stranger CA')));
      for (const [client, code] of [
        [stranger, 'CLIENT_CERT_UNKNOWN_CA'],
        [files.client('bob'), 'IDENTITY_NOT_IN_POLICY'],
      ] as const) {
        const denied = await startIngress({
          certificates: files,
          egressPort: port,
          client,
          to: { nothing: '127.0.0.1:9' },
          process: ingress,
        });
        expect(await denied.process.event('denied')).toMatchObject({ code, reason: expect.stringMatching(/\w/) });
        await denied.process.ends(4);
      }
    },
    timeoutMs,
  );

  scenario(
    `${pair} drain: what is open finishes, and the ingress is told`,
    ['git', 'tar'],
    async () => {
      const { egress, ingress } = await versions();
      const tunnel = await openTunnel({
        to: { echo: (await echo()).at },
        egress: { process: egress },
        ingress: { process: ingress },
      });
      expect(await ask(tunnel.port('echo'), 'before')).toBe('before');
      tunnel.egress.process.signal('SIGTERM');
      await tunnel.ingress.process.event('draining');
      await tunnel.egress.process.ends(0);
    },
    timeoutMs,
  );
}

scenario('a clone without that commit says what is missing', ['git'], async () => {
  expect(() => olderAdit('0123456789abcdef0123456789abcdef01234567')).toThrow(
    /^commit 0123456789abcdef0123456789abcdef01234567 is not in this clone, .*git fetch --unshallow/,
  );
  await Promise.resolve();
});
