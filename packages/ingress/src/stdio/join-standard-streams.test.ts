import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Ends } from '@adit/shared/net/join';
import { parseDestination } from '@adit/shared/protocol/destination';
import { certificates } from '../../../../test/support/certificates.ts';
import { testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { testIngress } from '../../../../test/support/in-process-ingress.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { closedPort, echo, service } from '../../../../test/support/services.ts';
import { resolveStdioOptions, type StdioOptions } from './options.ts';
import { joinStandardStreams } from './join-standard-streams.ts';

interface Streams extends Ends {
  readonly input: PassThrough;
  readonly output: PassThrough;
  /** What was written by its end. */ readonly said: Promise<string>;
}

function streams(): Streams {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const said = new Promise<string>((resolve) => {
    let all = '';
    output
      .on('data', (chunk: Buffer) => {
        all += chunk.toString();
      })
      .on('end', () => resolve(all))
      .on('error', () => {
        /* the test that expects one listens too */
      });
  });
  return { input, output, said };
}

function own(
  { port, certs }: Pick<TestEgress, 'port' | 'certs'>,
  destination: string,
  more: Record<string, string[]> = {},
): StdioOptions {
  const { cert, key } = certs.client('alice');
  return resolveStdioOptions(destination, {
    flags: { egress: [`127.0.0.1:${port}`], cert: [cert], key: [key], ca: [certs.ca], ...more },
    environment: {},
  });
}

/** Through an ingress that runs, with nothing for a session of its own. */
async function through(egress: TestEgress, destination: string): Promise<StdioOptions> {
  const controlSocket = join(temporaryFolder(), 'c');
  await testIngress(egress, egress.certs.client('alice'), { to: '127.0.0.1:1', forwards: [], controlSocket });
  return resolveStdioOptions(destination, { flags: { controlSocket: [controlSocket] }, environment: {} });
}

for (const [how, optionsFor] of [
  ['a session of its own', (egress: TestEgress, to: string) => Promise.resolve(own(egress, to))],
  ['a running ingress', through],
] as const) {
  test(`by ${how} both directions are carried, and status 0 says that both have ended`, async () => {
    const egress = await testEgress();
    const { at } = await echo();
    const ends = streams();
    const status = joinStandardStreams(await optionsFor(egress, at), ends);
    ends.input.end('hello');
    expect(await ends.said).toBe('hello');
    expect(await status).toBe(0);
    expect(await egress.recorded()).toMatchObject({
      frontEnd: 'stdio',
      client: 'local',
      requested: at,
      end: 'finished',
      bytesUp: 5,
      bytesDown: 5,
    });
  });

  test(`by ${how} the end of the service ends the output while the input goes on`, async () => {
    const egress = await testEgress();
    let late = '';
    const ending = await service((socket) => {
      socket.end('goodbye');
      socket.on('data', (chunk: Buffer) => {
        late += chunk.toString();
      });
    });
    const ends = streams();
    const status = joinStandardStreams(await optionsFor(egress, ending.at), ends);
    expect(await ends.said).toBe('goodbye');
    ends.input.end('still here');
    expect(await status).toBe(0);
    await ending.idle();
    expect(late).toBe('still here');
  });

  test(`by ${how} a refusal and a reset are errors with their code and reason`, async () => {
    const egress = await testEgress();
    await expect(joinStandardStreams(await optionsFor(egress, '10.0.0.1:22'), streams())).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      exitStatus: 4,
      message: expect.stringContaining('10.0.0.1:22'),
    });
    await expect(
      joinStandardStreams(await optionsFor(egress, `127.0.0.1:${await closedPort()}`), streams()),
    ).rejects.toMatchObject({ code: 'CONNECTION_REFUSED', exitStatus: 1 });
    const resetting = await service((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const ends = streams();
    ends.input.write('x');
    await expect(joinStandardStreams(await optionsFor(egress, resetting.at), ends)).rejects.toMatchObject({
      code: 'CONNECTION_RESET',
      exitStatus: 1,
    });
  });

  test(`by ${how} an output that nobody reads any more ends it, and the service is told`, async () => {
    const egress = await testEgress();
    const endless = await service((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) {
          /* until it is full */
        }
      };
      socket.on('drain', more);
      more();
    });
    const ends = streams();
    const status = joinStandardStreams(await optionsFor(egress, endless.at), ends);
    ends.output.once('data', () =>
      ends.output.destroy(Object.assign(new Error('write EPIPE'), { errno: -32, code: 'EPIPE', syscall: 'write' })),
    );
    await expect(status).rejects.toMatchObject({
      code: 'PEER_GONE',
      message: expect.stringContaining('nobody reads standard output'),
    });
    await endless.idle();
  });
}

test('an egress that is not there and one that denies us are errors with their code', async () => {
  const certs = certificates();
  await expect(
    joinStandardStreams(own({ port: await closedPort(), certs }, 'web', { connectTimeout: ['100ms'] }), streams()),
  ).rejects.toMatchObject({ code: 'EGRESS_UNREACHABLE', exitStatus: 1 });
  const egress = await testEgress({
    policy: 'version: 1\nrules:\n  - name: nobody\n    identities: [bob]\n    allow: ["127.0.0.1:*"]\n',
  });
  await expect(joinStandardStreams(own(egress, 'web'), streams())).rejects.toMatchObject({
    code: 'IDENTITY_NOT_IN_POLICY',
    exitStatus: 4,
  });
});

test('if no ingress answers, it makes a session of its own, or says which option is missing', async () => {
  const egress = await testEgress();
  const { at } = await echo();
  const absent = join(temporaryFolder(), 'c');
  const ends = streams();
  const status = joinStandardStreams(own(egress, at, { controlSocket: [absent] }), ends);
  ends.input.end('alone');
  expect([await ends.said, await status]).toEqual(['alone', 0]);
  await expect(
    joinStandardStreams(resolveStdioOptions(at, { flags: { controlSocket: [absent] }, environment: {} }), streams()),
  ).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(
      /^no ingress answers at .*, and for a session of its own --egress, --cert, --key and --ca are required/,
    ),
  });
});

test('it succeeds only after a slow service got everything, even one that ended first', async () => {
  const egress = await testEgress();
  let bytes = 0;
  const slow = await service((socket) => {
    socket.end();
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
  });
  const ends = streams();
  const status = joinStandardStreams(own(egress, slow.at), ends);
  await ends.said;
  ends.input.end(Buffer.alloc(3 << 20));
  expect(await status).toBe(0);
  await slow.idle();
  expect(bytes).toBe(3 << 20);
});

test('it asks for the destination that was parsed', () => {
  expect(own({ port: 1, certs: certificates() }, '[::1]:22').destination).toEqual(
    (parseDestination('[::1]:22') as { value: unknown }).value,
  );
});
