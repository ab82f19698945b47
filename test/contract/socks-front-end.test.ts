import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { testEgress } from '../support/in-process.ts';
import { testIngress } from '../support/in-process-ingress.ts';
import { temporaryFolder, within } from '../support/scope.ts';
import { client, echo } from '../support/services.ts';
import { frontEndContract, listenAnywhere } from './front-end-contract.ts';
import { socks4, socks4a, socks5, socks5ByName, socks5WithPassword } from './socks-dialects.ts';

const users = join(temporaryFolder(), 'users');
writeFileSync(users, 'alice:s3cret\n', { mode: 0o600 });

frontEndContract({ socks: listenAnywhere }, [socks5, socks5ByName, socks4, socks4a]);
frontEndContract({ socks: listenAnywhere, socksAuthFile: users }, [socks5WithPassword]);

test('a change of the file of users counts for the next client, and a bad file changes nothing', async () => {
  const egress = await testEgress();
  const own = join(temporaryFolder(), 'users');
  writeFileSync(own, 'bob:other\n', { mode: 0o600 });
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    socks: listenAnywhere,
    socksAuthFile: own,
  });
  const { port } = await echo();
  const tried = async (): Promise<string> => {
    const { socket, received } = await client(ingress.port);
    socket.end(Buffer.from(`${socks5WithPassword.request(port)}hello`, 'latin1'));
    return (await within(30_000, 'an answer', received)).bytes.toString('latin1');
  };
  expect(await tried()).toBe('\x05\x02\x01\x01');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
    code: 'CLIENT_UNAUTHENTICATED',
    reason: expect.stringContaining('wrong user or password'),
  });
  writeFileSync(own, 'alice:s3cret\n');
  await ingress.until((line) => line.event === 'reloaded');
  expect(await tried()).toMatch(/hello$/);
  writeFileSync(own, 'alice\n');
  expect(await ingress.until((line) => line.event === 'reload-failed')).toMatchObject({
    code: 'CONFIG_INVALID',
    reason: expect.stringContaining('line 1'),
  });
  expect(await tried()).toMatch(/hello$/);
});

test.each([
  ['another protocol', 'GET / HTTP/1.1\r\n\r\n', 'CLIENT_MALFORMED'],
  ['BIND', '\x05\x01\x00\x05\x02', 'CLIENT_UNSUPPORTED'],
  ['an address of no type', '\x05\x01\x00\x05\x01\x00\x02', 'CLIENT_MALFORMED'],
])('%s is turned away, and the log says why', async (_, said, code) => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    socks: listenAnywhere,
  });
  const { socket } = await client(ingress.port);
  socket.write(said, 'latin1');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code });
});
