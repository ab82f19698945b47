import { describe, expect, test } from '@jest/globals';
import { hasStream } from './nginx.ts';

describe('the build of nginx', () => {
  test.each([
    ['configure arguments: --with-stream --with-stream_ssl_module', true],
    ['configure arguments: --with-http_ssl_module --with-stream\n', true],
    ['configure arguments: --with-stream=dynamic --with-stream_ssl_module', false],
    ['configure arguments: --with-stream_ssl_module', false],
    ['', false],
  ])('%j has the stream module: %p', (build, expected) => {
    expect(hasStream(build)).toBe(expected);
  });
});
