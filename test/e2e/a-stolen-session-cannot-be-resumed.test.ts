import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import { encodeOpen } from '@adit/shared/protocol/open';
import { connectSession, RefusedError, type SessionSecret } from '@adit/shared/session/connect';
import { SessionDriver } from '@adit/shared/session/session-driver';
import { type Egress, policyOf, startEgress } from '../support/adit.ts';
import { type Certificates, certificates, type KeyPair } from '../support/certificates.ts';
import { atEnd, within } from '../support/scope.ts';
import { echo } from '../support/services.ts';
import { tlsCarrier } from '../support/tls-carrier.ts';
import { tlsTo } from '../support/wire.ts';

type Resume = NonNullable<Parameters<typeof connectSession>[1]['resume']>;
const options = { window: 262_144, agent: 'test', deadlineMs: 30_000 };

/** An ingress of the test's own, so that it knows the key: a session of alice with one stream to an echo. */
class OwnIngress {
  readonly lost: string[] = [];
  readonly driver: SessionDriver;
  readonly secret: SessionSecret;
  readonly #told: ((text: string) => void)[] = [];
  readonly #stream;

  private constructor({ secret, at }: { readonly secret: SessionSecret; readonly at: string }) {
    this.secret = secret;
    const [host, port] = at.split(':') as [string, string];
    this.driver = new SessionDriver(
      {
        role: 'client',
        resumable: true,
        receiveWindow: 262_144,
        sendWindow: 262_144,
        maxStreams: 0,
        replayLimitBytes: 1 << 20,
        pingAfterMs: 0,
        deadAfterMs: 60_000,
      },
      {
        opened: () => {},
        goaway: () => {},
        lost: (reason) => {
          this.lost.push(reason);
        },
        ended: ({ reason }) => {
          this.lost.push(`ended: ${reason}`);
        },
      },
    );
    this.#stream = this.driver.session.open(encodeOpen({ destination: { kind: 'host', host, port: Number(port) } }));
    const over =
      (what: string) =>
      ({ reason }: { readonly reason: string }): void => {
        this.lost.push(`${what}: ${reason}`);
      };
    this.#stream.events = {
      opened: () => {},
      refused: over('refused'),
      reset: over('reset'),
      end: () => {},
      writable: () => {},
      data: (bytes) => {
        this.#told.shift()?.(Buffer.from(bytes).toString());
      },
    };
    atEnd(() => {
      this.driver.end({ code: 0, reason: 'the test is over' });
    });
  }

  static async connect(carrier: Carrier, at: string): Promise<OwnIngress> {
    const { secret, welcome, rest } = await connectSession(carrier, options);
    const ingress = new OwnIngress({ secret, at });
    ingress.driver.attach(carrier, welcome.position, rest);
    return ingress;
  }

  /** What HELLO says when its owner resumes it. */
  resume(epoch: number): Resume {
    return { ...this.secret, epoch, position: this.driver.session.lane.position };
  }

  async says(text: string): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      this.#told.push(resolve);
    });
    this.#stream.sendCopy(Buffer.from(text));
    return await within(30_000, `the echo of ${text}`, answer, () => this.lost.join('\n'));
  }
}
interface House {
  readonly files: Certificates;
  readonly egress: Egress;
  readonly alice: KeyPair;
  readonly mallory: KeyPair;
  readonly owner: OwnIngress;
  carrier(of: KeyPair): Promise<Carrier & { readonly duplex: TLSSocket }>;
}

async function setUp(): Promise<House> {
  const files = certificates();
  const [alice, mallory] = [files.client('alice'), files.client('mallory')];
  const { at } = await echo();
  const egress = await startEgress({
    certificates: files,
    policy: policyOf({ identities: ['alice', 'mallory'], allow: [at] }),
  });
  const carrier = async (of: KeyPair) => {
    const socket = await tlsTo(egress.port, files, of);
    return { ...tlsCarrier(socket, 'egress'), duplex: socket };
  };
  return { files, egress, alice, mallory, carrier, owner: await OwnIngress.connect(await carrier(alice), at) };
}

/** The refusal of an attempt to resume, as it came. */
async function refusalOf(
  carrier: Carrier,
  resume: Resume,
): Promise<{ readonly code: string; readonly message: string; readonly retryAfterMs: number }> {
  const answer = await connectSession(carrier, { ...options, resume }).then(
    () => 'welcome',
    (error: unknown) => error,
  );
  if (!(answer instanceof RefusedError)) throw new Error(`a thief was answered ${String(answer)}`);
  const { code, message, retryAfterMs } = answer;
  return { code, message, retryAfterMs };
}

/** Puts other bytes in place of the HELLO that would go out, or keeps what does. */
function onHello(carrier: Carrier, change: (hello: Uint8Array) => Uint8Array): Carrier {
  const { duplex } = carrier;
  const write = duplex.write.bind(duplex) as (bytes: Uint8Array) => boolean;
  duplex.write = ((bytes: Uint8Array) => {
    duplex.write = write as typeof duplex.write;
    return write(change(bytes));
  }) as typeof duplex.write;
  return carrier;
}

test(
  'a thief with the id of a session learns nothing, whatever else it holds; the egress logs why, and the owner ' +
    'notices nothing',
  async () => {
    const { egress, alice, mallory, owner, carrier } = await setUp();

    expect(await owner.says('before')).toBe('before');
    const uri = 'spiffe://example.org/client/alice';
    const thieves: readonly [reason: string | RegExp, come: () => Promise<Awaited<ReturnType<typeof refusalOf>>>][] = [
      ['no such session', async () => refusalOf(await carrier(alice), { ...owner.resume(1), id: randomBytes(16) })],
      [
        'the binder does not hold',
        async () => refusalOf(await carrier(alice), { ...owner.resume(1), key: randomBytes(32) }),
      ],
      [
        'the binder does not hold',
        async () =>
          refusalOf(
            onHello(await carrier(alice), (hello) => {
              const forged = Buffer.from(hello);
              forged[forged.length - 1]! ^= 1;
              return forged;
            }),
            owner.resume(1),
          ),
      ],
      [
        'the binder does not hold',
        async () =>
          refusalOf(
            onHello(await carrier(alice), (hello) => Buffer.from(hello).fill(0, hello.length - 32)),
            owner.resume(1),
          ),
      ],
      // Bound to another connection of the same identity, made with the right key.
      [
        'the binder does not hold',
        async () => {
          const other = await carrier(alice);
          return refusalOf({ ...(await carrier(alice)), exportKey: other.exportKey }, owner.resume(1));
        },
      ],
      [
        `the session belongs to ${uri}`,
        async () => refusalOf(await carrier(mallory), { ...owner.resume(1), key: randomBytes(32) }),
      ],
      [`the session belongs to ${uri}`, async () => refusalOf(await carrier(mallory), owner.resume(1))],
      ['epoch 0 is not newer than 0', async () => refusalOf(await carrier(alice), owner.resume(0))],
      [
        /^offset \d+ is not covered$/,
        async () =>
          refusalOf(await carrier(alice), { ...owner.resume(1), position: { offset: 1_000_000, partial: 0 } }),
      ],
      [
        /^offset \d+ is not covered$/,
        async () =>
          refusalOf(await carrier(alice), {
            ...owner.resume(1),
            position: { ...owner.resume(1).position, partial: 1 },
          }),
      ],
    ];
    const answers: Awaited<ReturnType<typeof refusalOf>>[] = [];
    for (const [round, [reason, come]] of thieves.entries()) {
      answers.push(await come());
      const { message } = answers[0]!; // what the thief is told is logged, too
      expect(
        await egress.process.event('denied', ({ reason: said }) => said !== message, { nth: round + 1 }),
      ).toMatchObject({
        code: 'NOT_RESUMABLE',
        reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
      });
      expect(await owner.says(`after theft ${round}`)).toBe(`after theft ${round}`);
    }
    expect(answers).toEqual(
      thieves.map(() => ({ code: 'NOT_RESUMABLE', message: 'the egress does not know this session', retryAfterMs: 0 })),
    );
    expect(
      egress.process.all('denied', { identity: /mallory$/, reason: `the session belongs to ${uri}` }),
    ).toHaveLength(2);
    expect(owner.lost).toEqual([]);
    expect(egress.process.all('connected')).toHaveLength(1);
    expect(egress.process.all('detached')).toEqual([]);
  },
);

test('a HELLO that resumed a session is worthless on another connection; the owner resumes it again', async () => {
  const { egress, alice, mallory, owner, carrier } = await setUp();

  expect(await owner.says('one')).toBe('one');
  let recorded: Uint8Array = Buffer.alloc(0);
  const second = onHello(await carrier(alice), (hello) => {
    recorded = Buffer.from(hello);
    return hello;
  });
  const resume = async (by: Carrier, epoch: number): Promise<void> => {
    owner.driver.detach();
    const { welcome, rest } = await connectSession(by, { ...options, resume: owner.resume(epoch) });
    owner.driver.attach(by, welcome.position, rest);
  };
  await resume(second, 1);
  expect(await owner.says('two')).toBe('two');
  for (const [thief, reason] of [
    [alice, 'the binder does not hold'],
    [mallory, /belongs to/],
  ] as const) {
    expect(
      await refusalOf(
        onHello(await carrier(thief), () => recorded),
        owner.resume(2),
      ),
    ).toMatchObject({ code: 'NOT_RESUMABLE' });
    await egress.process.event('denied', { reason });
    expect(await owner.says('still here')).toBe('still here');
  }
  await resume(await carrier(alice), 2);
  expect(await owner.says('three')).toBe('three');
  expect(owner.lost).toEqual([]);
  await egress.process.event('connected', { resumed: true }, { nth: 2 });
  expect(egress.process.all('connected').map(({ resumed }) => resumed)).toEqual([false, true, true]);
});
