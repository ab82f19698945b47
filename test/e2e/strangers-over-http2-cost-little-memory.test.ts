import { expect, test } from '@jest/globals';
import { startEgress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { openRequest, silentPreface } from '../support/http2-frames.ts';
import { tlsTo } from '../support/wire.ts';

const connections = 60;
const requests = 256;

test('strangers who ask by HTTP/2 and read no answer take less than 1 MiB each', async () => {
  const files = certificates();
  const { process, port } = await startEgress({ certificates: files });
  /** By how much the egress grows at most, MiB. */
  const growth = async (asked: number): Promise<number> => {
    const before = await process.residentBytes();
    let peak = before;
    const flood = Array.from({ length: asked }, (_, n) =>
      openRequest(2 * n + 1, { path: '/healthz', padding: 15_000 }),
    );
    for (let n = 0; n < connections; n++) {
      const socket = await tlsTo(port, files, undefined, { ALPNProtocols: ['h2'] });
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      const taken = new Promise<void>((resolve) => {
        socket.write(Buffer.concat([silentPreface, ...flood]), () => resolve());
      });
      await Promise.race([taken, closed]);
      peak = Math.max(peak, await process.residentBytes());
    }
    return (peak - before) / 2 ** 20;
  };

  const control = await growth(0); // the TLS of so many connections

  expect((await growth(requests)) - control).toBeLessThan(connections);
});
