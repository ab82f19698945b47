import { expect, test } from '@jest/globals';
import { type ListenSpec, parseListenSpec } from '@adit/shared/config/values/listen-at';
import { refuseOwnProxy, type OwnProxyOptions } from './own-proxy.ts';

function listening(text: string): ListenSpec[] {
  const spec = parseListenSpec(text);
  if (!spec.ok) throw new Error(spec.reason);
  return [spec.value];
}
const proxy = { scheme: 'http', host: '127.0.0.1', port: 3128 } as const;
const egress = { kind: 'tls', host: 'tunnel.example.org', port: 8443 } as const;
const options: OwnProxyOptions = { egress: [egress], socks: [], httpProxy: listening('3128'), mixed: [] };

test('the proxy of the environment is refused if it is this ingress', () => {
  expect(() => refuseOwnProxy({ ...options, environmentProxy: { proxy, except: '' } })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message:
        'the environment (HTTPS_PROXY or ALL_PROXY) names http://127.0.0.1:3128 as the proxy to the egress, ' +
        'and that is --http-proxy "3128" of this ingress itself; start it with "--proxy none"',
    }),
  );
});

test.each<[string, Partial<OwnProxyOptions>, RegExp]>([
  ['that of --proxy', { proxy: { ...proxy, host: 'localhost' } }, /^--proxy names http:\/\/localhost:3128 /],
  ['one on every address', { proxy, httpProxy: [], mixed: listening('*:3128') }, /--mixed "\*:3128"/],
  [
    'a SOCKS proxy',
    { proxy: { ...proxy, scheme: 'socks5', host: '::1' }, httpProxy: [], socks: listening('[::1]:3128') },
    /names socks5:\/\/\[::1\]:3128 .*--socks "\[::1\]:3128"/,
  ],
  [
    'one of two egresses',
    { environmentProxy: { proxy, except: 'tunnel.example.org' }, egress: [egress, { kind: 'srv' }] },
    /of this ingress itself/,
  ],
])('%s is refused if it is this ingress', (_, changes, message) => {
  expect(() => refuseOwnProxy({ ...options, ...changes })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
  );
});

test.each<[string, Partial<OwnProxyOptions>]>([
  ['there is none', {}],
  ['it is turned off', { proxy: 'none', environmentProxy: { proxy, except: '' } }],
  ['it is another machine', { proxy: { ...proxy, host: '10.0.0.1' } }],
  ['it is another port', { proxy: { ...proxy, port: 3129 } }],
  ['NO_PROXY names the egress', { environmentProxy: { proxy, except: 'example.org' } }],
  ['it listens elsewhere', { proxy, httpProxy: listening('10.0.0.1:3128') }],
  ['it is a Unix socket', { proxy, httpProxy: listening('./proxy.sock') }],
])('nothing is refused if %s', (_, changes) => {
  expect(() => refuseOwnProxy({ ...options, ...changes })).not.toThrow();
});
