import { expect, test } from '@jest/globals';
import { notifySocket } from '../../../../test/support/notify-socket.ts';
import { scenario } from '../../../../test/support/scenario.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { createLogger } from '../observe/logger.ts';
import { SdNotify, type SdNotifyOptions } from './sd-notify.ts';

/** One that speaks to a socket, and what it wrote into the log. */
function manager(environment: Record<string, string | undefined>, options: Partial<SdNotifyOptions> = {}) {
  const logged: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    name: 'egress',
    destination: { write: (line) => void logged.push(line) },
  });
  let status = 'idle';
  const systemd = new SdNotify({ environment, log, status: () => status, ...options });
  // Its own timers do not hold the process; the test has to.
  const alive = setInterval(() => {}, 1000);
  atEnd(() => {
    systemd.close();
    clearInterval(alive);
  });
  return {
    systemd,
    logged,
    become: (next: string) => {
      status = next;
    },
  };
}
const withoutNative = { native: () => ({ missing: 'Linux' }) } as const;

for (const abstract of [false, true])
  scenario(`the states of a life arrive in order, abstract: ${abstract}`, ['python3'], async () => {
    const socket = await notifySocket({ abstract });
    const { systemd, become, logged } = manager({ NOTIFY_SOCKET: socket.path });
    const before = process.hrtime.bigint() / 1000n;
    systemd.ready();
    let loaded!: () => void;
    const reloaded = systemd.reloading(() => new Promise<void>((resolve) => (loaded = resolve)));
    const second = systemd.reloading(() => {});
    become('busy\nREADY=0');
    await second;
    loaded();
    await reloaded;
    systemd.stopping();

    await socket.message(/STOPPING/);
    expect(socket.messages).toEqual([
      'READY=1|STATUS=idle',
      expect.stringMatching(/^RELOADING=1\|MONOTONIC_USEC=\d+$/),
      'READY=1|STATUS=busy\\nREADY=0',
      'STOPPING=1|STATUS=Draining',
    ]);
    const at = BigInt(/\d+$/.exec(socket.messages[1]!)![0]);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
    expect(logged).toEqual([]);
  });

scenario('the watchdog is fed twice in its time, with the status when it changes', ['python3'], async () => {
  const socket = await notifySocket();
  const { systemd, become } = manager({
    NOTIFY_SOCKET: socket.path,
    WATCHDOG_USEC: '40000',
    WATCHDOG_PID: String(process.pid),
  });
  systemd.ready();
  await socket.message(/^WATCHDOG=1$/, 2);
  become('busy');
  await socket.message(/^WATCHDOG=1\|STATUS=busy$/);
  await socket.message(/^WATCHDOG=1$/, 4);
});

scenario('a loop that is held up feeds no watchdog', ['python3'], async () => {
  const socket = await notifySocket();
  const { systemd } = manager({ NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '40000' });
  systemd.ready();
  await socket.message(/^WATCHDOG=1$/);
  const held = socket.messages.length;
  const until = performance.now() + 200;
  while (performance.now() < until);
  // The messages that the loop has read come first: what was sent meanwhile is none.
  await socket.message(/^WATCHDOG=1$/, held + 1);
  expect(socket.messages.length).toBeLessThan(held + 4);
});

scenario('a watchdog for another process is not fed', ['python3'], async () => {
  const socket = await notifySocket();
  const { systemd } = manager({ NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' });
  systemd.ready();
  systemd.stopping();
  await socket.message(/STOPPING/);
  expect(socket.messages.filter((message) => message.includes('WATCHDOG'))).toEqual([]);
});

scenario(
  'without native calls the program systemd-notify tells the same, in order',
  ['python3', 'systemd-notify'],
  async () => {
    const socket = await notifySocket();
    const { systemd, logged } = manager({ NOTIFY_SOCKET: socket.path }, withoutNative);
    systemd.ready();
    await systemd.reloading(() => {});
    systemd.stopping();
    await socket.message(/STOPPING/);
    const kinds = socket.messages.map((message) => message.split('=')[0]).filter((kind) => kind !== 'BARRIER');
    expect(kinds).toEqual(['READY', 'RELOADING', 'READY', 'STOPPING']);
    expect(logged).toEqual([]);
  },
);

test('what cannot be told is said once, and stops nothing', async () => {
  const { systemd, logged } = manager(
    { NOTIFY_SOCKET: '/nowhere/notify', WATCHDOG_USEC: '2000' },
    { ...withoutNative, program: '/nowhere/systemd-notify' },
  );
  systemd.ready();
  await systemd.reloading(() => {});
  while (logged.length === 0) await new Promise(setImmediate);
  expect(logged.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      level: 'warn',
      event: 'failed',
      reason: expect.stringMatching(/^systemd is not told: .*ENOENT.*, and native calls need Linux$/),
    }),
  ]);
});

test('nothing is sent to a systemd that does not ask, and its variables are gone for children', async () => {
  const environment = { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1', PATH: '/bin' };
  const native = (): never => {
    throw new Error('loaded');
  };
  const { systemd } = manager(environment, { native });
  systemd.ready();
  await systemd.reloading(() => {});
  systemd.stopping();
  expect(environment).toEqual({ PATH: '/bin' });
});

test('a full socket is tried again, and what waits for it is bounded', async () => {
  const sent: string[] = [];
  let full = true;
  const { systemd, become } = manager(
    { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '2000' },
    {
      native: () => ({
        send: (_, message) => {
          if (full) return { ok: false, errno: 11 };
          sent.push(Buffer.from(message).toString());
          return { ok: true };
        },
      }),
    },
  );
  systemd.ready();
  for (let beat = 0; beat < 30; beat++) {
    become(`beat ${beat}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  systemd.stopping();
  full = false;
  while (!sent.some((message) => message.startsWith('STOPPING')))
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(sent[0]).toBe('READY=1|STATUS=idle'.replace('|', '\n'));
  expect(sent.findIndex((message) => message.startsWith('STOPPING'))).toBe(2); // one beat between the two
});
