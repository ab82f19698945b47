import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type LogLine, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { atEnd } from '../support/scope.ts';

/** For longer than what is always seen. */
const stoppedMs = 1_000;

test('both halves log how long they stood still, and that they did not work meanwhile', async () => {
  const files = certificates();
  const egress = await startEgress({ certificates: files });
  const ingress = await startIngress({ certificates: files, egressPort: egress.port, to: { web: '127.0.0.1:1' } });
  await ingress.process.event('connected');
  for (const { process } of [egress, ingress]) {
    const long = (line: LogLine): boolean => Number(line['delayMs']) >= stoppedMs - 300;
    const before = process.all('held-up', long).length;
    atEnd(() => process.signal('SIGCONT')); // it has to be able to end
    process.signal('SIGSTOP');
    await pause(stoppedMs);
    process.signal('SIGCONT');
    const line = await process.event('held-up', long, { nth: before + 1, ms: 30_000 });
    expect(line).toMatchObject({ level: 'warn', times: expect.any(Number) });
    expect(line['cpuMs']).toBeLessThan(line['delayMs'] as number);
  }
});
