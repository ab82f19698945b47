import { expect, test } from '@jest/globals';
import { namesTarget, parseTarget } from './target.ts';

test.each([
  ['db.internal:5432', { kind: 'host', host: 'db.internal', port: 5432 }],
  ['DB.internal.:5432', { kind: 'host', host: 'db.internal', port: 5432 }],
  ['[2001:db8::1]:443', { kind: 'host', host: '2001:db8::1', port: 443 }],
  ['web', { kind: 'service', service: 'web' }],
  ['web.adit.internal:443', { kind: 'service', service: 'web' }],
  ['WEB.Adit.Internal:1', { kind: 'service', service: 'web' }],
])('%s is a target', (text, value) => {
  expect(parseTarget(text)).toEqual({ ok: true, value });
});

test.each([
  '',
  'host:0',
  'host:70000',
  'host:',
  ':80',
  'http://host:80',
  'user@host:80',
  'host:80/path',
  '2001:db8::1:443',
  'a.b.adit.internal:80',
  '.adit.internal:80',
  '127.1:80',
])('%s is none', (text) => {
  expect(parseTarget(text)).toMatchObject({ ok: false, reason: expect.any(String) });
});

test.each([
  ['host:80', 'host:80'],
  ['HOST:80', 'host:80'],
  ['host', 'host:80'],
  ['[::1]', '[::1]:80'],
  ['web', 'web'],
])('a Host of %s names %s', (host, target) => {
  expect(namesTarget(host, target)).toBe(true);
});

test.each([
  ['host:81', 'host:80'],
  ['other', 'host:80'],
  ['hos', 'host:80'],
  ['', 'host:80'],
  ['[:', '[::1]:80'],
  ['::1', '[::1]:80'],
])('a Host of "%s" does not name %s', (host, target) => {
  expect(namesTarget(host, target)).toBe(false);
});
