import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { openTunnel, policyOf, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { converse } from '../support/conversation.ts';
import { pattern } from '../support/pattern.ts';
import { replaceFile } from '../support/replace-file.ts';
import { eventually, within } from '../support/scope.ts';
import { ask, client, echo, hashing } from '../support/services.ts';
import { noticedNothing, steady } from '../support/steady.ts';

test(
  'streams that are still allowed lose no byte, forbidden ones are reset with the reason, bad files change ' +
    'nothing',
  async () => {
    const [kept, lost] = [await echo(), await echo()];
    const hashes = await hashing();
    const tunnel = await openTunnel({
      to: { kept: kept.at, lost: lost.at, hashes: hashes.at },
      policy: policyOf({ allow: [kept.at, lost.at, hashes.at] }),
    });
    const replace = (text: string): void => {
      replaceFile(tunnel.egress.policyFile, text);
    };
    const transfer = await client(tunnel.port('hashes'));
    const hash = createHash('sha256');
    let sentBytes = 0;
    let feeding = true;
    const fed = (async () => {
      for (const chunk of pattern(4096)) {
        if (!feeding) break;
        hash.update(chunk);
        sentBytes += chunk.length;
        if (!transfer.socket.write(chunk)) await new Promise((resolve) => transfer.socket.once('drain', resolve));
      }
      transfer.socket.end();
    })();
    const doomed = await converse(tunnel.port('lost'));

    replace('version: 1\nrules: [{ name: broken');
    expect(await tunnel.egress.process.event('reload-failed', { what: 'policy' })).toMatchObject({
      code: 'POLICY_INVALID',
    });
    expect(await ask(tunnel.port('lost'), 'the old policy holds')).toBe('the old policy holds');

    replace(policyOf({ allow: [kept.at, hashes.at] }));
    await tunnel.egress.process.event('reloaded', { what: 'policy' });
    expect((await doomed.received).ending).toBe('reset');
    expect(await tunnel.egress.process.event('stream', { code: 'POLICY_RELOADED' })).toMatchObject({
      requested: lost.at,
    });
    await expect(ask(tunnel.port('lost'), 'x')).rejects.toThrow('reset');
    expect(await ask(tunnel.port('kept'), 'still allowed')).toBe('still allowed');

    replace(policyOf({ allow: [kept.at, hashes.at, lost.at] }));
    const before = tunnel.egress.process.all('reloaded', { what: 'policy' }).length;
    tunnel.egress.process.signal('SIGHUP');
    await tunnel.egress.process.event('reloaded', { what: 'policy', cause: 'SIGHUP' }, { nth: 1 });
    expect(before).toBeGreaterThan(0);
    expect(await ask(tunnel.port('lost'), 'allowed again')).toBe('allowed again');

    feeding = false;
    await fed;
    expect(String((await transfer.received).bytes)).toBe(`${sentBytes} ${hash.digest('hex')}`);
    expect(tunnel.ingress.process.all('connected')).toHaveLength(1);
  },
);

test(
  'an identity that no rule names any more is cut off within a second, with the reason; the sessions of others ' +
    'go on',
  async () => {
    const files = certificates();
    const sums = await hashing();
    const names = ['alice', 'carol', 'dave'];
    const policyWithout = (gone: readonly string[]): string =>
      policyOf({ identities: ['bob', ...names.filter((name) => !gone.includes(name))], allow: [sums.at] });
    const egress = await startEgress({ certificates: files, policy: policyWithout([]) });
    const start = (name: string) =>
      startIngress({ certificates: files, egressPort: egress.port, to: { sums: sums.at }, client: files.client(name) });
    const bob = await start('bob');
    const transfer = await steady(bob.ports['sums']!);
    const tookMs: number[] = [];

    for (const [at, name] of names.entries()) {
      const ingress = await start(name);
      const { socket, received } = await client(ingress.ports['sums']!);
      socket.write('x');
      await eventually('both streams at the service', () => sums.sockets.size === 2);
      const startedMs = performance.now();
      replaceFile(egress.policyFile, policyWithout(names.slice(0, at + 1)));
      expect((await within(30_000, `the reset of ${name}`, received)).ending).toBe('reset');
      tookMs.push(performance.now() - startedMs);
      expect(await egress.process.event('stream', { identity: `spiffe://example.org/client/${name}` })).toMatchObject({
        end: 'cut',
        code: 'IDENTITY_NOT_IN_POLICY',
      });
      expect(await ingress.process.event('denied')).toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
      await ingress.process.ends(4);
      await eventually('the end at the service', () => sums.sockets.size === 1);
    }

    // The machine may be busy with something else for a second, but not every time.
    expect(Math.min(...tookMs)).toBeLessThan(1_000);
    await noticedNothing(bob, transfer);
  },
);
