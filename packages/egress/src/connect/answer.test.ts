import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codes } from '@adit/shared/codes';
import { type Code } from '@adit/shared/errors';
import { anyCharacter } from '../../../../test/support/characters.ts';
import { refusalAnswer } from './answer.ts';

test('a refusal says status, error, details, code and what to do', () => {
  expect(refusalAnswer({ code: 'CONNECTION_REFUSED', reason: 'nothing listens on 10.0.0.5:1' })).toEqual({
    status: 502,
    statusLine: '502 Bad Gateway',
    text: `CONNECTION_REFUSED: nothing listens on 10.0.0.5:1\n${codes.CONNECTION_REFUSED.advice}\n`,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'proxy-status':
        'adit; error=connection_refused; details="nothing listens on 10.0.0.5:1"; adit-code=CONNECTION_REFUSED',
    },
  });
});

test('one that passes by itself says when to come again', () => {
  expect(refusalAnswer({ code: 'DRAINING', reason: 'x' }).headers['retry-after']).toBe('1');
});

test('a fault of the request is a 4xx, whatever the status of its code', () => {
  expect(refusalAnswer({ code: 'PROTOCOL_ERROR', reason: 'no' }, 400)).toMatchObject({
    statusLine: '400 Bad Request',
    text: 'PROTOCOL_ERROR: no\n',
    headers: { 'proxy-status': 'adit; error=http_request_error; details="no"; adit-code=PROTOCOL_ERROR' },
  });
});

test('whatever the reason is, Proxy-Status is one line of a valid string', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: anyCharacter, maxLength: 400 }),
      fc.constantFrom(...(Object.keys(codes) as Code[])),
      (reason, code) => {
        expect(refusalAnswer({ code, reason }).headers['proxy-status']).toMatch(
          /^adit; error=[a-z_]+; details="(?:[ !#-[\]-~]|\\["\\])*"; adit-code=[A-Z0-9_]+$/,
        );
      },
    ),
  );
});
