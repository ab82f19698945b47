import { connectSession, type SessionSecret } from '@adit/shared/session/connect';
import { expect, test } from '@jest/globals';
import { startEgress } from '../support/adit.ts';
import { type Certificates, certificates } from '../support/certificates.ts';
import { shared } from '../support/shared.ts';
import { strangers, strangerSteps } from '../support/strangers.ts';
import { tlsCarrier } from '../support/tls-carrier.ts';
import { tlsTo } from '../support/wire.ts';

const attackers = { count: 300, from: '127.0.0.9' };
const [attaches, resumes] = [40, 20];
const withinMs = 1_000;

interface Attached {
  readonly secret: SessionSecret;
  /** From the connection to WELCOME. */
  readonly tookMs: number;
}

/** Attaches from another host than the attackers' and leaves at once; with `resume` goes on with a session. */
async function attach(
  { port, files }: { readonly port: number; readonly files: Certificates },
  resume?: NonNullable<Parameters<typeof connectSession>[1]['resume']>,
): Promise<Attached> {
  const startedMs = performance.now();
  const socket = await tlsTo(port, files, files.client('alice'), { localAddress: '127.0.0.2' });
  const { secret } = await connectSession(tlsCarrier(socket, 'egress'), {
    window: 262_144,
    agent: 'test',
    deadlineMs: 30_000,
    ...(resume && { resume }),
  });
  const tookMs = performance.now() - startedMs;
  socket.destroy();
  return { secret, tookMs };
}

const setUp = shared(async () => {
  const files = certificates();
  const { process, port } = await startEgress({ certificates: files, flags: ['--max-sessions-per-identity', '8'] });
  return { files, process, port };
});

test.each(strangerSteps)(
  'beside 300 connections of one host that come back for ever, and say no more after %s, another host attaches and ' +
    'resumes within a second, each time',
  async (how) => {
    const egress = await setUp();
    const { length: linesBefore } = egress.process.all('denied', { code: 'OVERLOAD' });
    const crowd = await strangers({ how, port: egress.port, ...attackers });
    await egress.process.event('denied', { code: 'OVERLOAD' }, { nth: linesBefore + 1 });

    const took: number[] = [];
    let founded = await attach(egress);
    for (let n = 0; n < attaches; n++) took.push((founded = await attach(egress)).tookMs);
    for (let epoch = 1; epoch <= resumes; epoch++) {
      const resume = { ...founded.secret, epoch, position: { offset: 0, partial: 0 } };
      took.push((await attach(egress, resume)).tookMs);
    }

    expect(took.filter((ms) => ms > withinMs)).toEqual([]);
    await crowd.stop();
    const lines = egress.process.all('denied', { code: 'OVERLOAD' }).slice(linesBefore);
    expect(lines[0]).toMatchObject({ reason: expect.stringContaining(`of them from ${attackers.from}:`) });
  },
);
