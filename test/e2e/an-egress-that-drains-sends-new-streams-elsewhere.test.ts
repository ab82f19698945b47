import { expect, test } from '@jest/globals';
import { within } from '../support/scope.ts';
import { ask } from '../support/services.ts';
import { openTwoEgresses } from '../support/two-egresses.ts';

test('open connections finish where they are, new ones go to the other egress at once', async () => {
  const { first, second, ingress, open, echoPort } = await openTwoEgresses({ firstFlags: ['--drain-timeout', '60s'] });

  first.process.signal('SIGTERM');
  await ingress.process.event('draining');

  for (let n = 0; n < 10; n++) expect(await ask(echoPort, 'new')).toBe('new');
  await second.process.event('stream', {}, { nth: 10 });
  open.socket.end('the end');
  expect(await within(30_000, 'the rest', open.received)).toMatchObject({ ending: 'end' });
  await first.process.ends(0);
  expect(first.process.all('stream').map(({ end }) => end)).toEqual(['finished']);
});

test('a connection that breaks while its egress drains is reset at once: it cannot be resumed there', async () => {
  const { first, network, ingress, open, echoPort } = await openTwoEgresses({ firstFlags: ['--drain-timeout', '60s'] });

  first.process.signal('SIGTERM');
  await ingress.process.event('draining');
  network.cut();

  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await ask(echoPort, 'new')).toBe('new');
  await first.process.ends(0);
});
