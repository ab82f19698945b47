import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { Child } from '../support/child.ts';
import { openLinkedTunnel } from '../support/linked-tunnel.ts';
import { bbr, namespaces } from '../support/netns.ts';
import { patternFile } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder, within } from '../support/scope.ts';

// Over this link BBR sends about 60 Mbit/s and CUBIC 2: a kernel that has only the latter copies all of it with FULL=1,
// in a quarter of an hour.
const megabytes = bbr() || process.env['FULL'] === '1' ? 200 : 8;
const outageMs = 20_000;
const transferMs = bbr() ? 200_000 : 1_500_000;

scenario(
  'an scp over a link with 40 ms and 1% loss survives 20 s without a network and goes on from another address',
  [...namespaces, 'sshd', 'ssh', 'scp', 'ssh-keygen'],
  async () => {
    const {
      link: { near, crossed, counts },
      sshd,
      egress,
      ingress,
      port,
    } = await openLinkedTunnel();

    expect(await egress.process.event('connected')).toMatchObject({
      resumed: false,
      remote: expect.stringMatching(/^10\.1\.0\.2:/),
    });
    const folder = temporaryFolder();
    const hash = await patternFile(join(folder, 'here'), megabytes);
    const scp = new Child(
      'scp',
      [...sshd.options, '-P', port, join(folder, 'here'), `${sshd.user}@127.0.0.1:${join(folder, 'there')}`],
      { prefix: near.prefix },
    );

    await crossed((megabytes * 2 ** 20) / 4, transferMs);
    await near.down();
    // sooner than a PING after 10 s of silence would tell: the interfaces were watched
    await ingress.process.event('detached', {}, { ms: 9_000 });
    await delay(outageMs);
    expect(scp.running).toBe(true);
    await near.up('10.2.0.2/24');
    expect(await egress.process.event('connected', { resumed: true })).toMatchObject({
      remote: expect.stringMatching(/^10\.2\.0\.2:/),
    });
    expect(
      (await within(transferMs, 'the end of scp', scp.exit, () => `${scp.output}\n${ingress.process.output}`)).code,
    ).toBe(0);

    const arrived = createHash('sha256');
    await pipeline(createReadStream(join(folder, 'there')), arrived);
    expect(arrived.digest('hex')).toBe(hash);
    expect(ingress.process.all('connected', { resumed: false })).toHaveLength(1);
    expect(ingress.process.all('disconnected')).toEqual([]);
    const { up } = await counts();
    expect(up.bytes).toBeGreaterThan(megabytes * 2 ** 20);
    expect(up.lost / up.packets).toBeGreaterThan(0.005); // the link was as bad as promised
  },
  2 * transferMs,
);
