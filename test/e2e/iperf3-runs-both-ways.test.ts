import { expect } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { succeed } from '../support/child.ts';
import { startIperf3 } from '../support/iperf3.ts';
import { scenario } from '../support/scenario.ts';
import { shared } from '../support/shared.ts';

const setUp = shared(async () => {
  const { at, ready } = await startIperf3();
  return { ready, tunnel: await openTunnel({ to: { iperf3: at } }) };
});

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['up', []],
  ['down', ['-R']],
  ['up and down at once', ['--bidir']],
  ['up in eight streams', ['-P', '8']],
];

for (const [title, flags] of cases) {
  scenario(`bytes flow ${title}`, ['iperf3'], async () => {
    const { tunnel, ready } = await setUp();
    await ready();
    const { stdout } = await succeed('iperf3', [
      '-c',
      '127.0.0.1',
      '-p',
      String(tunnel.port('iperf3')),
      '-n',
      '256M',
      '-J',
      ...flags,
    ]);
    const { end, error } = JSON.parse(stdout) as { error?: string; end: { sum_received: { bytes: number } } };

    expect(error).toBeUndefined();
    // with --bidir both ways share the 256 MiB, as fast as each happens to be
    expect(end.sum_received.bytes).toBeGreaterThan(title === 'up and down at once' ? 0 : 100 * 1024 * 1024);
  });
}
