import { expect, test } from '@jest/globals';
import { startEgress, startIngress, type Egress } from '../support/adit.ts';
import { certificates, type Certificates } from '../support/certificates.ts';
import { connectHttp1 } from '../support/connect-client.ts';
import { longPattern } from '../support/long-pattern.ts';
import { pattern, patternHash } from '../support/pattern.ts';
import { reloadPolicy } from '../support/replace-file.ts';
import { eventually, within } from '../support/scope.ts';
import { client, hashing } from '../support/services.ts';

const via = (to: Egress, ca: string, pair: { readonly cert: string; readonly key: string }): string =>
  `{ url: "connect://127.0.0.1:${to.port}", ca: "${ca}", cert: "${pair.cert}", key: "${pair.key}" }`;

/** The next hop of an egress, which lets this identity do it. */
const egressOf = (files: Certificates, policy: string): Promise<Egress> => startEgress({ certificates: files, policy });

test('a stream crosses two egresses, each with its own policy and its own name for the client', async () => {
  const to = await hashing();
  const far = certificates();
  const second = await egressOf(
    far,
    `version: 1\nservices: { sums: "tcp://${to.at}" }\nrules:\n  - { name: hop, identities: [hop], allow: [sums] }\n`,
  );
  const near = certificates();
  const first = await egressOf(
    near,
    'version: 1\nservices:\n  sums: { backends: ["tcp://sums.adit.internal:1"], via: ' +
      `${via(second, far.ca, far.client('hop'))} }\n  other: { backends: ["tcp://other.adit.internal:1"], via: ` +
      `${via(second, far.ca, far.client('hop'))} }\nrules:\n  - { name: people, identities: [alice], allow: ` +
      '[sums, other] }\n',
  );
  const ingress = await startIngress({
    certificates: near,
    egressPort: first.port,
    to: { sums: 'sums', other: 'other' },
  });
  const megabytes = 8;
  const { socket, received } = await client(ingress.ports['sums']!);

  for (const chunk of pattern(megabytes)) socket.write(chunk);
  socket.end();

  expect(String((await within(60_000, 'the sum', received)).bytes)).toBe(
    `${megabytes * 2 ** 20} ${patternHash(megabytes)}`,
  );
  expect(await first.process.event('stream', { requested: 'sums' })).toMatchObject({
    identity: 'spiffe://example.org/client/alice',
    via: `connect://127.0.0.1:${second.port}`,
    end: 'finished',
    bytesUp: megabytes * 2 ** 20,
  });
  expect(await second.process.event('stream', { requested: 'sums' })).toMatchObject({
    identity: 'spiffe://example.org/client/hop',
    frontEnd: 'connect',
    end: 'finished',
    bytesUp: megabytes * 2 ** 20,
  });

  const refused = await client(ingress.ports['other']!);
  expect((await refused.received).ending).toBe('reset');
  expect(await ingress.process.event('refused', { code: 'UNKNOWN_SERVICE' })).toMatchObject({
    reason: 'other is not known to the next egress.',
  });
  expect(await first.process.event('stream', { requested: 'other' })).toMatchObject({
    code: 'UNKNOWN_SERVICE',
    verdict: 'allow',
    reason: expect.stringMatching(/^connect:.* 404: The egress defines no service/),
  });

  await second.process.stop();
  expect((await (await client(ingress.ports['sums']!)).received).ending).toBe('reset');
  expect(await ingress.process.event('refused', { code: 'VIA_FAILED' })).toMatchObject({
    reason: expect.stringMatching(/^sums cannot be reached/),
  });
});

test('a reset crosses both egresses', async () => {
  const to = await hashing();
  const far = certificates();
  const second = await egressOf(far, `version: 1\nrules:\n  - { name: hop, identities: [hop], allow: ["${to.at}"] }\n`);
  const near = certificates();
  const first = await egressOf(
    near,
    `version: 1\nrules:\n  - { name: people, identities: [alice], allow: ["${to.at}"], via: ` +
      `${via(second, far.ca, far.client('hop'))} }\n`,
  );
  const tunnel = await connectHttp1({ port: first.port, certs: near }, near.client('alice'), to.at);

  expect(tunnel.status).toBe(200);
  await eventually('the connection to the service', () => to.sockets.size === 1);
  tunnel.reset();
  await eventually('the reset at the service', () => to.sockets.size === 0);
  expect(await second.process.event('stream')).toMatchObject({ end: 'reset', code: 'CONNECTION_RESET' });
});

test('two egresses that lead to each other refuse at once, and say why', async () => {
  const [one, two] = [certificates(), certificates()];
  const nothing = 'version: 1\nrules:\n  - { name: nobody, identities: [alice, hop], deny: ["*:*"] }\n';
  const [first, second] = [await egressOf(one, nothing), await egressOf(two, nothing)];
  const leading = (to: Egress, files: Certificates): string =>
    'version: 1\nrules:\n  - { name: circle, identities: [alice, hop], allow: ["round.example:80"], via: ' +
    `${via(to, files.ca, files.client('hop'))} }\n`;

  await reloadPolicy(first, leading(second, two));
  await reloadPolicy(second, leading(first, one));
  const tunnel = await connectHttp1({ port: first.port, certs: one }, one.client('alice'), 'round.example:80');
  expect([tunnel.status, tunnel.headers.get('proxy-status')]).toEqual([
    508,
    expect.stringMatching(
      longPattern(
        /^adit; error=proxy_loop_detected; /,
        /details="round\.example:80 was not dialled: the next hops of the egresses lead in a circle\."; /,
        /adit-code=VIA_LOOP$/,
      ),
    ),
  ]);
  expect(await first.process.event('stream', { code: 'VIA_LOOP' })).toMatchObject({
    end: 'refused',
    reason: expect.stringMatching(
      longPattern(
        /^this request came through this egress before: the next hops lead in a circle /,
        /\(Via: 1\.1 adit-[0-9a-f]{16}, 1\.1 adit-[0-9a-f]{16}\)$/,
      ),
    ),
  });
  expect(await second.process.event('stream', { code: 'VIA_LOOP' })).toMatchObject({ end: 'refused' });
  expect([first.process.all('stream').length + second.process.all('stream').length]).toEqual([3]);
});
