import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyUrl } from '../../../../test/support/characters.ts';
import {
  absoluteTarget,
  ambiguity,
  basicUser,
  connectTarget,
  hasContent,
  refusalResponse,
  requestFields,
  responseFields,
} from './http-proxy.ts';

describe('the target of CONNECT', () => {
  test.each([
    ['db.internal:5432', 'db.internal', 5432],
    ['[FD00::1]:80', 'fd00::1', 80],
    ['Example.ORG.:443', 'example.org', 443],
  ])('%s is a host and a port', (target, host, port) =>
    expect(connectTarget(target)).toEqual({ ok: true, value: { kind: 'host', host, port } }),
  );
  test.each([
    ['web.x', /port is missing/],
    ['', /./],
    ['a:0', /port/],
    ['http://a/', /./],
    ['a b:80', /./],
    ['10.1:80', /looks like an address/],
  ])('%j is none', (target, reason) =>
    expect(connectTarget(target)).toEqual({ ok: false, reason: expect.stringMatching(reason) }),
  );
});

describe('the target of another request', () => {
  test.each([
    ['http://example.org/a?b', { host: 'example.org', port: 80, authority: 'example.org', origin: '/a?b' }],
    ['HTTP://Example.org', { host: 'example.org', port: 80, authority: 'example.org', origin: '/' }],
    ['http://example.org:8080?q', { host: 'example.org', port: 8080, authority: 'example.org:8080', origin: '/?q' }],
    ['http://example.org:/x', { host: 'example.org', port: 80, authority: 'example.org', origin: '/x' }],
    ['http://example.org:80/', { host: 'example.org', port: 80, authority: 'example.org', origin: '/' }],
    ['http://[FD00::1]/', { host: 'fd00::1', port: 80, authority: '[fd00::1]', origin: '/' }],
    ['http://[::1]:81/', { host: '::1', port: 81, authority: '[::1]:81', origin: '/' }],
    ['http://a//b/../c', { host: 'a', port: 80, authority: 'a', origin: '//b/../c' }],
  ])('%s is asked of its host', (target, { host, port, authority, origin }) =>
    expect(absoluteTarget('GET', target)).toEqual({
      ok: true,
      value: { destination: { kind: 'host', host, port }, authority, origin },
    }),
  );

  test('below adit.internal is a service, which is told the name that was asked for', () => {
    expect(absoluteTarget('GET', 'http://web.adit.internal:81/')).toMatchObject({
      value: { destination: { kind: 'service', service: 'web' }, authority: 'web.adit.internal:81' },
    });
    expect(connectTarget('web.adit.internal:443')).toEqual({ ok: true, value: { kind: 'service', service: 'web' } });
    expect(connectTarget('web')).toEqual({ ok: true, value: { kind: 'service', service: 'web' } });
    expect(connectTarget('a.b.adit.internal:443')).toMatchObject({ ok: false });
  });

  test('of OPTIONS without a path is the whole server', () => {
    expect(absoluteTarget('OPTIONS', 'http://a')).toMatchObject({ value: { origin: '*' } });
    expect(absoluteTarget('OPTIONS', 'http://a/')).toMatchObject({ value: { origin: '/' } });
  });

  test.each([
    ['/path', /this is a proxy/],
    ['*', /this is a proxy/],
    ['https://a/', /use CONNECT/],
    ['ftp://a/', /use CONNECT/],
    ['http://alice:s3cret@a/', /not passed on/],
    ['http:///x', /host is missing/],
    ['http://a:99999/', /port/],
    ['http://::1/', /\[ADDRESS\]/],
    ['http://a%62/', /characters/],
    ['http://a#b', /this is a proxy/],
  ])('%s is refused', (target, reason) => {
    expect(absoluteTarget('GET', target)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
    expect(absoluteTarget('GET', target)).toEqual({ ok: false, reason: expect.not.stringContaining('s3cret') });
  });

  test('is never a throw, and what is asked of a host begins with a slash', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), anyUrl('http')), (target) => {
        const parsed = absoluteTarget('GET', target);
        if (parsed.ok) expect(parsed.value.origin[0]).toBe('/');
        connectTarget(target);
      }),
    );
  });
});

describe('fields', () => {
  test('fields of the connection, of the proxy, and of Connection stay behind; the others keep their order', () => {
    const fields = [
      'Host',
      'evil',
      'Accept',
      'a',
      'Proxy-Authorization',
      'Basic x',
      'Connection',
      'keep-alive, X-One',
      'X-One',
      '1',
      'Keep-Alive',
      'timeout=5',
      'Cookie',
      'c',
      'TE',
      'trailers',
      'accept',
      'b',
      'Upgrade',
      'h2c',
      'Proxy-Connection',
      'keep-alive',
      'HTTP2-Settings',
      'x',
      'Via',
      '1.0 fred',
    ];
    expect(requestFields(fields, 'a.example')).toEqual([
      'Host',
      'a.example',
      'Accept',
      'a',
      'Cookie',
      'c',
      'accept',
      'b',
      'Via',
      '1.0 fred, 1.1 adit',
      'Connection',
      'close',
    ]);
  });

  test('that say how long the content is cannot be taken away by Connection', () => {
    expect(requestFields(['Connection', 'content-length, host', 'Content-Length', '5'], 'a')).toEqual([
      'Host',
      'a',
      'Content-Length',
      '5',
      'Via',
      '1.1 adit',
      'Connection',
      'close',
    ]);
  });

  test('of an answer: every cookie, and no framing but the length', () => {
    expect(
      responseFields([
        'Set-Cookie',
        'a',
        'Set-Cookie',
        'b',
        'Transfer-Encoding',
        'chunked',
        'Connection',
        'keep-alive',
        'Content-Length',
        '3',
      ]),
    ).toEqual(['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Content-Length', '3', 'Via', '1.1 adit', 'Connection', 'close']);
  });

  test('tell whether there is content', () => {
    expect(
      [
        ['Content-Length', '0'],
        ['transfer-encoding', 'chunked'],
        ['Content-Type', 'x'],
      ].map(hasContent),
    ).toEqual([true, true, false]);
  });
});

describe('a request that could be read in two ways', () => {
  const host = ['Host', 'a'];
  test.each([
    ['two hosts', '1.1', false, [...host, 'host', 'b']],
    ['no host', '1.1', false, []],
    ['two lengths', '1.1', false, [...host, 'Content-Length', '1', 'Content-Length', '1']],
    ['a length and a coding', '1.1', false, [...host, 'Content-Length', '1', 'Transfer-Encoding', 'chunked']],
    ['a coding in HTTP/1.0', '1.0', false, ['Transfer-Encoding', 'chunked']],
    ['another coding', '1.1', false, [...host, 'Transfer-Encoding', 'gzip, chunked']],
    ['CONNECT with content', '1.1', true, [...host, 'Content-Length', '5']],
    ['another version', '2.0', false, host],
  ])('is refused: %s', (_, version, connect, fields) => expect(ambiguity({ version, connect, fields })).toBeDefined());
  test.each([
    ['1.1', false, [...host, 'Content-Length', '1']],
    ['1.0', false, []],
    ['1.1', false, [...host, 'Transfer-Encoding', 'Chunked']],
    ['1.1', true, host],
    ['1.0', true, []],
  ])('is not refused where there is one: %s %s %j', (version, connect, fields) =>
    expect(ambiguity({ version, connect, fields })).toBeUndefined(),
  );
});

describe('user and password', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  test('are read as RFC 7617 says, in UTF-8', () => {
    expect(basicUser(['Proxy-Authorization', basic('alice:a:b')])).toEqual({ user: 'alice', password: 'a:b' });
    expect(basicUser(['proxy-authorization', basic('björn:gehört').replace('Basic', 'bAsIc')])).toEqual({
      user: 'björn',
      password: 'gehört',
    });
  });
  test.each([
    [[]],
    [['Authorization', basic('a:b')]],
    [['Proxy-Authorization', basic('a:b'), 'Proxy-Authorization', basic('a:b')]],
    [['Proxy-Authorization', 'Bearer x']],
    [['Proxy-Authorization', 'Basic ???']],
    [['Proxy-Authorization', 'Basic abcde']],
    [['Proxy-Authorization', 'Basic a=']],
    [['Proxy-Authorization', 'Basic YTpi===']],
    [['Proxy-Authorization', basic('alice')]],
  ])('are not found in %j', (fields) => expect(basicUser(fields)).toBeUndefined());
  test('of any bytes are read without a throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9+/]{0,9}={0,3}$/)), (text) => {
        basicUser(['Proxy-Authorization', `Basic ${text}`]);
      }),
    );
  });
});

describe('a refusal', () => {
  const refusal = {
    status: 403,
    proxyStatus: 'http_request_denied',
    code: 'POLICY_DENIED',
    reason: 'no "rule" für\r\nthis',
    advice: 'Ask.',
  };
  test('says why, to people and to programs, in one head that nobody can add to', () => {
    const response = Buffer.from(refusalResponse(refusal)).toString();
    const [head = '', body = ''] = response.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 403 Forbidden',
      'Proxy-Status: adit; error=http_request_denied; ' +
        String.raw`details="no \"rule\" f?r??this"; adit-code=POLICY_DENIED`,
      'Content-Type: text/plain; charset=utf-8',
      'Cache-Control: no-store',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ]);
    expect(body).toBe('POLICY_DENIED: no "rule" für\r\nthis\nAsk.\n');
  });
  test('asks for a password where one is missing, and has no content for HEAD', () => {
    expect(Buffer.from(refusalResponse({ ...refusal, status: 407 })).toString()).toContain(
      '\r\nProxy-Authenticate: Basic realm="adit", charset="UTF-8"\r\n',
    );
    expect(Buffer.from(refusalResponse({ ...refusal, head: true })).toString()).toMatch(
      /Content-Length: \d+\r\nConnection: close\r\n\r\n$/,
    );
  });
});
