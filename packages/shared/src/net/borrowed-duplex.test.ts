import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { atEnd } from '../../../../test/support/scope.ts';
import { receive } from '../../../../test/support/services.ts';
import { BorrowedDuplex } from './borrowed-duplex.ts';
import { acceptPooled, type RelaySocket } from './sockets.ts';

/** Both ends of a connection; ours pooled, or as it was accepted. */
async function connection({ pooled = true } = {}): Promise<{ local: RelaySocket; far: net.Socket }> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const far = net.connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [near] = await accepted;
  near.on('error', () => {});
  const local = pooled ? acceptPooled(near) : { socket: near, reads: undefined };
  atEnd(() => {
    far.destroy();
    local.socket.destroy();
  });
  return { local, far };
}

/** What the next owner of the socket reads, up to its end. */
function readOn({ socket, reads }: RelaySocket): Promise<string> {
  const parts: Buffer[] = [];
  const take = (bytes: Uint8Array): boolean => {
    parts.push(Buffer.from(bytes));
    return true;
  };
  if (reads)
    reads.attach({
      sendCopy: take,
      sendBuffer: (buffer, length, lease) => {
        take(buffer.subarray(8, 8 + length));
        lease.release();
        return true;
      },
    });
  else socket.on('data', take);
  socket.resume();
  return new Promise((resolve) => {
    socket.on('end', () => resolve(Buffer.concat(parts).toString()));
  });
}

for (const pooled of [true, false]) {
  const how = pooled ? 'pooled' : 'as accepted';

  test(`reads and writes a socket, ${how}, and gives it back without losing a byte`, async () => {
    const { local, far } = await connection({ pooled });
    const duplex = new BorrowedDuplex(local);
    far.write('hello there');
    const [first] = (await once(duplex, 'data')) as [Buffer];
    duplex.pause();
    duplex.write('who is it');
    expect(String((await once(far, 'data'))[0])).toBe('who is it');
    expect(String(first)).toBe('hello there');
    duplex.unshift(first.subarray(6));
    duplex.giveBack();
    expect(local.socket.destroyed).toBe(false);
    const rest = readOn(local);
    far.end('!'.repeat(200_000));
    expect(await rest).toBe(`there${'!'.repeat(200_000)}`);
  });

  test(`keeps the peer waiting while nobody reads, ${how}`, async () => {
    const { local, far } = await connection({ pooled });
    const duplex = new BorrowedDuplex(local);
    const whole = Buffer.alloc(8 << 20, 'x');
    far.end(whole);
    await once(
      duplex.on('readable', () => {}),
      'readable',
    );
    expect(duplex.readableLength).toBeLessThan(1 << 18);
    let bytes = 0;
    duplex
      .removeAllListeners('readable')
      .on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      })
      .resume();
    await once(duplex, 'end');
    expect(bytes).toBe(whole.length);
  });

  test(`an end is an end and a reset a reset, both ways, ${how}`, async () => {
    const first = await connection({ pooled });
    const ending = new BorrowedDuplex(first.local);
    first.far.end();
    ending.resume();
    await once(ending, 'end');
    const received = receive(first.far);
    ending.end('bye');
    expect(await received).toMatchObject({ ending: 'end' });

    const second = await connection({ pooled });
    const broken = new BorrowedDuplex(second.local).resume();
    second.far.resetAndDestroy();
    await new Promise((resolve) => {
      broken.once('close', resolve);
    });
    expect(broken.errored).toMatchObject({ code: 'ECONNRESET' });

    const third = await connection({ pooled });
    const got = receive(third.far);
    new BorrowedDuplex(third.local).destroy(new Error('a test'));
    expect(await got).toMatchObject({ ending: 'reset' });
  });
}

test('a socket that is gone is gone at once', async () => {
  const { local } = await connection();
  local.socket.destroy();
  await once(local.socket, 'close');
  const duplex = new BorrowedDuplex(local);
  await once(duplex, 'close');
  duplex.giveBack();
});
