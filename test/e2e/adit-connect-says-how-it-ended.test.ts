import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { connecting, joined, lendingIngress } from '../support/adit-connect.ts';
import { adit, openPolicy, startEgress } from '../support/adit.ts';
import { sessionArguments } from '../support/arguments.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { closedPort, echo, receive, resetting, service, type Service } from '../support/services.ts';

const { files, session, egress, ways } = connecting();

for (const [how, way] of ways) {
  scenario(`a refusal is one line, and its status says which kind, by ${how}`, [], async () => {
    const args = await way();

    for (const [destination, status, line] of [
      [
        '10.1.2.3:22',
        4,
        /^adit: The policy of the egress does not allow alice to reach 10\.1\.2\.3:22\. [^\n]* \[POLICY_DENIED\]\n$/,
      ],
      ['nonsense', 4, /^adit: [^\n]* \[UNKNOWN_SERVICE\]\n$/],
      [`127.0.0.1:${await closedPort()}`, 1, /^adit: [^\n]* \[CONNECTION_REFUSED\]\n$/],
      ['127.0.0.1:0', 2, /^adit: the destination "127\.0\.0\.1:0": [^\n]* \[USAGE\]\n$/],
    ] as const)
      expect(await adit([...args, destination])).toMatchObject({
        code: status,
        stdout: '',
        stderr: expect.stringMatching(line),
      });
  });

  scenario(`a reset of the service, and a reader that leaves, are failures, by ${how}`, [], async () => {
    const reset = joined([...(await way()), (await resetting()).at]);

    reset.child.stdin.write('x');

    expect([await reset.ends(), reset.stderr()]).toEqual([
      1,
      expect.stringMatching(/^adit: [^\n]*\[CONNECTION_RESET\]\n$/),
    ]);
    const endless: Service = await service((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) {
          /* until it is full */
        }
      };
      socket.on('drain', more);
      more();
    });
    const left = joined([...(await way()), endless.at]);
    await left.first();
    left.child.stdout.destroy();
    expect([await left.ends(), left.stderr()]).toEqual([
      1,
      expect.stringContaining('nobody reads standard output any more'),
    ]);
    await endless.idle();
  });

  for (const [signal, status] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    scenario(`${signal} ends it, and the service sees a reset, by ${how}`, [], async () => {
      const heard: Promise<{ ending: string }>[] = [];
      const talking = await service((socket) => {
        heard.push(receive(socket));
        socket.write('hello');
      });
      const one = joined([...(await way()), talking.at]);

      await one.first();
      one.child.kill(signal);

      expect([await one.ends(), one.stderr()]).toEqual([status, '']);
      expect(await heard[0]).toMatchObject({ ending: 'reset' });
    });
  }
}

scenario('a killed ingress is not mistaken for an end of the service: the status is not 0', [], async () => {
  const ingress = await lendingIngress(files, await egress());
  const talking = await service((socket) => {
    socket.write('half of it');
  });
  const one = joined(['connect', '--control-socket', ingress.socket, talking.at]);

  await one.first();
  one.child.stdin.end(); // our end is no excuse
  await ingress.process.kill();

  expect([await one.ends(), one.stderr()]).toEqual([
    1,
    expect.stringMatching(
      /^adit: the ingress at [^\n]* is gone, in the middle of the connection\. [^\n]*\[INGRESS_GONE\]\n$/,
    ),
  ]);
  // The socket that it left behind is no ingress: there is a session of its own, or a reason.
  expect(
    await adit(['connect', '--control-socket', ingress.socket, ...session((await egress()).port), (await echo()).at], {
      input: 'alone',
    }),
  ).toMatchObject({ code: 0, stdout: 'alone' });
  expect(await adit(['connect', '--control-socket', ingress.socket, 'web'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^adit: no ingress answers at [^\n]*\[USAGE\]\n$/),
  });
});

scenario('an ingress that drains lets it finish, and then resets it with the reason', [], async () => {
  const ingress = await lendingIngress(files, await egress());
  const one = joined(['connect', '--control-socket', ingress.socket, (await echo()).at]);

  one.child.stdin.write('hello');
  await one.first();
  ingress.process.signal('SIGTERM');
  await ingress.process.ends(0);

  expect([await one.ends(), one.stderr()]).toEqual([
    1,
    expect.stringMatching(/^adit: the ingress stops\. [^\n]*\[DRAINING\]\n$/),
  ]);
});

/** In a file of its own: it is not for the egress of the other scenarios. */
function othersPolicy(): string {
  const path = join(temporaryFolder(), 'policy.yaml');
  writeFileSync(path, openPolicy.replace('alice', 'bob'));
  return path;
}

scenario('an egress that denies us and an unreachable egress are told apart', [], async () => {
  const stranger = await startEgress({ certificates: files, policy: othersPolicy() });

  expect(await adit(['connect', ...session(stranger.port), 'web'])).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringMatching(/^adit: [^\n]*\[IDENTITY_NOT_IN_POLICY\]\n$/),
  });
  expect(await adit(['connect', ...session(await closedPort()), '--connect-timeout', '200ms', 'web'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^adit: [^\n]*\[EGRESS_UNREACHABLE\]\n$/),
  });
  const notAKey = join(files.folder, 'not-a-key');
  writeFileSync(notAKey, 'x', { mode: 0o600 });
  const { cert } = files.client('alice');
  const unusable = sessionArguments(files, { cert, key: notAKey }, stranger.port);
  expect(await adit(['connect', ...unusable, 'web'])).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^adit: [^\n]*\[CREDENTIALS_UNUSABLE\]\n$/),
  });
});
