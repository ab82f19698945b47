import { expect, test } from '@jest/globals';
import { testEgress } from '../support/in-process.ts';
import { testIngress } from '../support/in-process-ingress.ts';
import { client } from '../support/services.ts';
import { frontEndContract, listenAnywhere } from './front-end-contract.ts';
import { httpConnect } from './http-dialects.ts';
import { socks4a, socks5 } from './socks-dialects.ts';
import { sniPassthrough } from './tls-dialects.ts';

frontEndContract({ mixed: listenAnywhere }, [socks5, socks4a, httpConnect, sniPassthrough]);

test.each([
  ['TLS', '\x16\x03\x01', /speaks TLS/],
  ['anything else', '\x00', /neither SOCKS nor HTTP/],
])('%s is neither, and the log says so', async (_, bytes, reason) => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    mixed: listenAnywhere,
  });
  (await client(ingress.port)).socket.write(bytes, 'latin1');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
    code: 'CLIENT_MALFORMED',
    reason: expect.stringMatching(reason),
  });
});
