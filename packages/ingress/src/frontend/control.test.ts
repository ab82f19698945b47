import { once } from 'node:events';
import { duplexPair, PassThrough, type Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { controlAccepted, controlData, controlEnd, controlRequest } from '@adit/shared/protocol/control';
import { ControlDuplex } from './control-duplex.ts';
import { control } from './control.ts';
import type { Ask, ExchangeAsk, TurnedAway } from './contract.ts';

async function asked(...parts: Uint8Array[]): Promise<{ ask: Ask | TurnedAway; client: Duplex }> {
  const [duplex, client] = duplexPair();
  client.write(Buffer.concat(parts));
  return { ask: await control({ deadlineMs: 30_000 }).ask({ duplex }), client };
}

test.each([
  ['db.internal:5432', { kind: 'host', host: 'db.internal', port: 5432 }],
  ['web', { kind: 'service', service: 'web' }],
  ['tls://db.internal:443', { kind: 'host', host: 'db.internal', port: 443, tls: true }],
  ['[fd00::5]:22', { kind: 'host', host: 'fd00::5', port: 22 }],
])('a request for %s is one for that destination', async (text, destination) => {
  const { ask } = await asked(controlRequest(text));
  expect(ask).toMatchObject({ frontEnd: 'stdio', destination, accepted: controlAccepted });
  expect(String((ask as ExchangeAsk).refused({ code: 'POLICY_DENIED', reason: 'no' }))).toContain(
    String(Buffer.from('POLICY_DENIED no').toJSON().data),
  );
});

test('what is no destination is turned away with the reason', async () => {
  const { ask } = await asked(controlRequest('no port:'));
  expect(ask).toMatchObject({ error: { code: 'CLIENT_MALFORMED' }, answer: expect.any(Uint8Array) });
});

test.each([
  ['GET / HTTP/1.1', 'CLIENT_MALFORMED'],
  ['\x01\x00\x09\x02', 'CLIENT_MALFORMED'],
])('what is no request is rejected: %j', async (text, code) => {
  await expect(asked(Buffer.from(text, 'latin1').subarray(0, 3), Buffer.from('\0'.repeat(20)))).rejects.toMatchObject({
    code,
  });
});

test('the exchange carries both directions until both have ended', async () => {
  const { ask, client } = await asked(controlRequest('web'), ...controlData(Buffer.from('early')));
  const [far, service] = duplexPair();
  const over = (ask as ExchangeAsk).exchange(far);
  expect(String(((await once(service, 'data')) as [Buffer])[0])).toBe('early');
  const framed = new ControlDuplex(client, 'the ingress');
  service.end('answer');
  const out = new PassThrough();
  framed.pipe(out);
  framed.end();
  expect(((await out.toArray()) as Buffer[]).join('')).toBe('answer');
  await over;
});

test('a reset of the service reaches the client with its code, and the exchange is over', async () => {
  const { ask, client } = await asked(controlRequest('web'));
  const [far] = duplexPair();
  const over = (ask as ExchangeAsk).exchange(far);
  far.destroy(new AditError('CONNECTION_RESET', 'the service reset the connection'));
  const framed = new ControlDuplex(client, 'the ingress');
  expect(((await once(framed.resume(), 'error')) as [unknown])[0]).toMatchObject({ code: 'CONNECTION_RESET' });
  await over;
});

test('a client that goes without an end leaves the service with an error, not with an end', async () => {
  const { ask, client } = await asked(controlRequest('web'), controlEnd.subarray(0, 0));
  const [far] = duplexPair();
  const gone = once(far, 'error');
  const over = (ask as ExchangeAsk).exchange(far);
  client.end();
  expect(((await gone) as [unknown])[0]).toMatchObject({ code: 'INGRESS_GONE' });
  await over;
});
