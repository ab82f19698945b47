import { renameSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { openTunnel, policyOf } from '../support/adit.ts';
import { pattern } from '../support/pattern.ts';
import { ask, chunkFrom, client, echo, hashing } from '../support/services.ts';
import { createHash } from 'node:crypto';

test('streams that are still allowed go on to the byte, forbidden ones are reset with the reason, bad files change nothing', async () => {
  const [kept, lost] = [await echo(), await echo()];
  const hashes = await hashing();
  const tunnel = await openTunnel({ to: { kept: kept.at, lost: lost.at, hashes: hashes.at }, policy: policyOf({ allow: [kept.at, lost.at, hashes.at] }) });
  const replace = (text: string): void => { writeFileSync(`${tunnel.egress.policyFile}.new`, text); renameSync(`${tunnel.egress.policyFile}.new`, tunnel.egress.policyFile); };
  const transfer = await client(tunnel.port('hashes'));
  const hash = createHash('sha256');
  let sentBytes = 0;
  let feeding = true;
  const fed = (async () => {
    for (const chunk of pattern(4096)) {
      if (!feeding) break;
      hash.update(chunk);
      sentBytes += chunk.length;
      if (!transfer.socket.write(chunk)) await new Promise(resolve => transfer.socket.once('drain', resolve));
    }
    transfer.socket.end();
  })();
  const doomed = await client(tunnel.port('lost'));
  doomed.socket.write('x');
  await chunkFrom(doomed.socket);

  replace('version: 1\nrules: [{ name: broken');
  expect(await tunnel.egress.process.event('reload-failed', { what: 'policy' })).toMatchObject({ code: 'POLICY_INVALID' });
  expect(await ask(tunnel.port('lost'), 'the old policy holds')).toBe('the old policy holds');

  replace(policyOf({ allow: [kept.at, hashes.at] }));
  await tunnel.egress.process.event('reloaded', { what: 'policy' });
  expect((await doomed.received).ending).toBe('reset');
  expect(await tunnel.egress.process.event('stream', { code: 'POLICY_RELOADED' })).toMatchObject({ requested: lost.at });
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
});
