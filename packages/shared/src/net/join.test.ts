import { duplexPair, PassThrough, Readable, Writable, type Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { AditError } from '../errors.ts';
import { joinEnds, type Ends } from './join.ts';

function made(): { near: Ends & { input: PassThrough; output: PassThrough }; far: Duplex; service: Duplex } {
  const [far, service] = duplexPair({ allowHalfOpen: true });
  for (const one of [far, service])
    one.on('error', () => {
      /* looked for by who expects it */
    });
  return { near: { input: new PassThrough(), output: new PassThrough() }, far, service };
}

/** Everything up to the end; an iterator would destroy what can still be written to. */
function text(from: Readable): Promise<string> {
  return new Promise((resolve) => {
    let all = '';
    from
      .on('data', (chunk: Buffer) => {
        all += chunk.toString();
      })
      .on('end', () => resolve(all));
  });
}

test('bytes go both ways, and the end of one direction leaves the other open', async () => {
  const { near, far, service } = made();
  const joined = joinEnds(near, far);
  near.input.end('question');
  expect(await text(service)).toBe('question');
  service.end('answer');
  expect(await text(near.output)).toBe('answer');
  await joined;
});

test('the service may end first, and still be told', async () => {
  const { near, far, service } = made();
  const joined = joinEnds(near, far);
  service.end('goodbye');
  expect(await text(near.output)).toBe('goodbye');
  near.input.end('late');
  expect(await text(service)).toBe('late');
  await joined;
});

test('an error of the far side ends all, and is the one that comes out', async () => {
  const { near, far } = made();
  const joined = joinEnds(near, far);
  const reason = new AditError('CONNECTION_RESET', 'reset');
  far.destroy(reason);
  await expect(joined).rejects.toBe(reason);
  expect([near.input.destroyed, near.output.destroyed]).toEqual([true, true]);
});

test('an output that fails ends all', async () => {
  const { near, far, service } = made();
  const output = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('closed'), { code: 'EPIPE' })),
  });
  const joined = joinEnds({ input: near.input, output }, far);
  service.write('x');
  await expect(joined).rejects.toMatchObject({ code: 'EPIPE' });
  expect([near.input.destroyed, far.destroyed]).toEqual([true, true]);
});

test('nothing is read ahead of a service that does not read', async () => {
  const { far } = made();
  let read = 0;
  const input = new Readable({
    read() {
      read += 65_536;
      this.push(Buffer.alloc(65_536));
    },
  });
  const joined = joinEnds({ input, output: new PassThrough() }, far);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(read).toBeLessThan(1 << 20);
  far.destroy(new AditError('CONNECTION_RESET', 'done'));
  await expect(joined).rejects.toMatchObject({ code: 'CONNECTION_RESET' });
});
