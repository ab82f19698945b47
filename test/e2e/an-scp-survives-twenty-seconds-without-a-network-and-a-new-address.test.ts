import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { Child } from '../support/child.ts';
import { bbr, namespaces, openLink } from '../support/netns.ts';
import { patternFile } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder, within } from '../support/scope.ts';
import { startSshd } from '../support/sshd.ts';

// Over this link BBR sends about 60 Mbit/s and CUBIC 2: a kernel that has only the latter copies all of it with FULL=1, in a quarter of an hour.
const megabytes = bbr() || process.env['FULL'] === '1' ? 200 : 8;
const outageMs = 20_000;
const transferMs = bbr() ? 200_000 : 1_500_000;

scenario(`an scp of ${megabytes} MiB over a link with 40 ms and 1% loss survives 20 s without a network and comes back from another address`, [...namespaces, 'sshd', 'ssh', 'scp', 'ssh-keygen'], async () => {
  const { near, far, crossed, counts } = await openLink({ delayMs: 40, lossPercent: 1, megabitsPerSecond: 100 });
  await Promise.all([near.up('10.1.0.2/24'), far.up('10.0.0.1/24')]);
  const files = certificates();
  const sshd = await startSshd({ prefix: far.prefix });
  const egress = await startEgress({ certificates: files, host: '10.0.0.1', process: { prefix: far.prefix } });
  const ingress = await startIngress({ certificates: files, egressPort: egress.port, egress: `10.0.0.1:${egress.port}`, to: { ssh: sshd.at }, flags: ['--server-name', 'localhost'], process: { prefix: near.prefix } });
  expect(await egress.process.event('connected')).toMatchObject({ resumed: false, remote: expect.stringMatching(/^10\.1\.0\.2:/) });
  const folder = temporaryFolder();
  const hash = await patternFile(join(folder, 'here'), megabytes);
  const scp = new Child('scp', [...sshd.options, '-P', String(ingress.ports['ssh']), join(folder, 'here'), `${sshd.user}@127.0.0.1:${join(folder, 'there')}`], { prefix: near.prefix });

  await crossed(megabytes * 2 ** 20 / 4, transferMs);
  await near.down();
  await ingress.process.event('detached', {}, { ms: 9_000 }); // sooner than a PING after 10 s of silence would tell: the interfaces were watched
  await delay(outageMs);
  expect(scp.running).toBe(true);
  await near.up('10.2.0.2/24');
  expect(await egress.process.event('connected', { resumed: true })).toMatchObject({ remote: expect.stringMatching(/^10\.2\.0\.2:/) });
  expect((await within(transferMs, 'the end of scp', scp.exit, () => `${scp.output}\n${ingress.process.output}`)).code).toBe(0);

  const arrived = createHash('sha256');
  await pipeline(createReadStream(join(folder, 'there')), arrived);
  expect(arrived.digest('hex')).toBe(hash);
  expect(ingress.process.all('connected', { resumed: false })).toHaveLength(1);
  expect(ingress.process.all('disconnected')).toEqual([]);
  const { up } = await counts();
  expect(up.bytes).toBeGreaterThan(megabytes * 2 ** 20);
  expect(up.lost / up.packets).toBeGreaterThan(0.005); // the link was as bad as promised
}, 2 * transferMs);
