import { duplexPair, type Duplex } from 'node:stream';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AditError } from '@adit/shared/errors';
import { controlData, controlEnd, controlReset } from '@adit/shared/protocol/control';
import { ControlDuplex } from './control-duplex.ts';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';

function pair(): [ControlDuplex, ControlDuplex] {
  const [near, far] = duplexPair();
  return [new ControlDuplex(near, 'the client'), new ControlDuplex(far, 'the ingress')];
}

const bytesOf = (from: Duplex): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    from
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => resolve(Buffer.concat(chunks)))
      .on('error', reject);
  });
const failure = async (from: Duplex): Promise<unknown> => ((await once(from.resume(), 'error')) as [unknown])[0];

test('whatever is written on one side is read on the other, both ways, each with an end of its own', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 8 }),
      fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 8 }),
      async (there, back) => {
        const [near, far] = pair();
        for (const chunk of there) near.write(chunk);
        near.end();
        expect(await bytesOf(far)).toEqual(Buffer.concat(there));
        for (const chunk of back) far.write(chunk);
        far.end();
        expect(await bytesOf(near)).toEqual(Buffer.concat(back));
      },
    ),
    { numRuns: 50 },
  );
});

test('more than a frame holds goes in several, and waits for who reads', async () => {
  const [near, far] = pair();
  const large = Buffer.from(Array.from({ length: 1 << 20 }, (_, at) => at * 7));
  let took = 0;
  for (let at = 0; at < large.length; at += 1 << 16)
    near.write(large.subarray(at, at + (1 << 16)), () => {
      took++;
    });
  near.end();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(took).toBeLessThan(16);
  expect((await bytesOf(far)).equals(large)).toBe(true);
});

test('destroyed with an error it tells code and reason, as the error of the other side', async () => {
  const [near, far] = pair();
  far.destroy(new AditError('IDLE_TIMEOUT', 'no bytes for 5 s'));
  expect(await failure(near)).toMatchObject({ code: 'IDLE_TIMEOUT', message: 'no bytes for 5 s' });
});

test('destroyed without one it tells that its side closed', async () => {
  const [near, far] = pair();
  near.destroy();
  expect(await failure(far)).toMatchObject({ code: 'PEER_GONE' });
});

test('a socket that ends unannounced is an error, also after some bytes and after our own end', async () => {
  const [raw, far] = duplexPair();
  const duplex = new ControlDuplex(far, 'the ingress');
  duplex.end();
  for (const part of controlData(Buffer.from('half'))) raw.write(part);
  raw.end();
  expect(await failure(duplex)).toMatchObject({
    code: 'INGRESS_GONE',
    message: 'the ingress is gone, in the middle of the connection',
  });
});

test('a write that fails because the other end is gone says so, and not that something of ours failed', async () => {
  const path = join(temporaryFolder(), 's');
  const server = net.createServer().listen(path);
  atEnd(() => server.close());
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const near = net.connect({ path, allowHalfOpen: true }).pause();
  const duplex = new ControlDuplex(near, 'the ingress');
  const [far] = await accepted;
  far.destroy();
  await once(far, 'close');
  duplex.end(); // nothing was read yet, so that the write is the first to fail
  const [error] = (await once(duplex, 'error')) as [unknown];
  expect(error).toMatchObject({ code: 'INGRESS_GONE', cause: { code: 'EPIPE' } });
});

test('a code that is not known is still an error', async () => {
  const [raw, far] = duplexPair();
  raw.write(controlReset('FROM_THE_FUTURE', 'who knows'));
  expect(await failure(new ControlDuplex(far, 'the ingress'))).toMatchObject({
    code: 'INTERNAL',
    message: 'who knows',
  });
});

test('what is not of the protocol is told to its sender', async () => {
  const [raw, far] = duplexPair();
  const duplex = new ControlDuplex(far, 'the client');
  raw.write(Buffer.concat([controlEnd, Buffer.of(9)]));
  expect(await failure(duplex)).toMatchObject({ code: 'PROTOCOL_ERROR' });
  expect(String(((await once(raw, 'data')) as [Buffer])[0])).toContain('PROTOCOL_ERROR');
});
