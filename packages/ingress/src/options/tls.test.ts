import { type Forward, parseForward } from '@adit/shared/config/values/forward';
import { type ListenSpec, parseListenSpec } from '@adit/shared/config/values/listen-at';
import { parseSniRoute, type SniRoute } from '@adit/shared/config/values/sni-route';
import { expect, test } from '@jest/globals';
import { refuseTlsOptions } from './tls.ts';

function listening(text: string): ListenSpec[] {
  const result = parseListenSpec(text);
  if (!result.ok) throw new Error(result.reason);
  return [result.value];
}
function routes(...texts: readonly string[]): SniRoute[] {
  return texts.map((text) => {
    const result = parseSniRoute(text);
    if (!result.ok) throw new Error(result.reason);
    return result.value;
  });
}
function forwards(text: string): Forward[] {
  const result = parseForward(text);
  if (!result.ok) throw new Error(result.reason);
  return [result.value];
}
const none = { mixed: [], sni: [], sniRoutes: [], tlsListen: [], tlsCerts: [], tlsKeys: [], tlsAlpn: [] };

test('routes and a listener that takes them belong together', () => {
  refuseTlsOptions(none);
  refuseTlsOptions({ ...none, sni: listening('8443'), sniRoutes: routes('*.example.com=web', 'example.com=web') });
  refuseTlsOptions({ ...none, mixed: listening('1080'), sniRoutes: routes('*=:443') });
  refuseTlsOptions({ ...none, mixed: listening('1080') });
});

test('certificates, keys and a listener that shows them belong together', () => {
  refuseTlsOptions({ ...none, tlsListen: forwards('8443:web'), tlsCerts: ['a', 'b'], tlsKeys: ['a', 'b'] });
});

test.each([
  [
    { tlsListen: forwards('8443:web') },
    /^--tls-listen "8443:web" has no certificate to show: give --tls-cert and --tls-key$/,
  ],
  [{ tlsAlpn: ['h2'] }, /^--tls-alpn is for --tls-listen, and there is none$/],
  [{ tlsCerts: ['a'], tlsKeys: ['a'] }, /^--tls-cert and --tls-key are for --tls-listen, and there is none$/],
  [
    { tlsListen: forwards('8443:web'), tlsCerts: ['a', 'b'], tlsKeys: ['a'] },
    /^each --tls-cert has its --tls-key, in the same order: there are 2 of one and 1 of the other$/,
  ],
  [{ sni: listening('8443') }, /^--sni "8443" leads nowhere: give a --sni-route/],
  [{ sniRoutes: routes('*=:443') }, /^--sni-route is for --sni and --mixed, and there is neither$/],
  [
    { sni: listening('8443'), sniRoutes: routes('*.example.com=web', '*.Example.com=:443') },
    /^--sni-route "\*\.Example\.com=:443" is for the same name as --sni-route "\*\.example\.com=web"$/,
  ],
])('is refused where it cannot be: %j', (more, message) => {
  expect(() => refuseTlsOptions({ ...none, ...more })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
  );
});
