import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { atEnd } from '../../../../test/support/scope.ts';

const here = new URL('./standard-streams.ts', import.meta.url).href;

/** A program that has these streams as `streams`. */
function running(program: string): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { standardStreams } from ${JSON.stringify(here)}; const { input, output } = standardStreams(); ${program}`,
  ]);
  atEnd(() => {
    child.kill('SIGKILL');
  });
  return child;
}

test('the end of the output closes it, and the input goes on', async () => {
  const child = running(
    `output.end('bye'); let heard = ''; input.on('data', (chunk) => { heard += chunk; }).on('end', () => { ` +
      'process.stderr.write(heard); });',
  );
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  await once(child.stdout, 'end');
  expect(out).toBe('bye');
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.end('still here');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(err).toBe('still here');
});

test('an output that nobody reads delays its writer, and nothing else', async () => {
  const child = running(
    'let more = 0; output.write(Buffer.alloc(4 << 20), () => process.exit(7)); setInterval(() => { if (++more ' +
      `=== 5) process.stderr.write('alive\\n'); }, 10); input.resume();`,
  );
  expect(String(((await once(child.stderr, 'data')) as [Buffer])[0])).toBe('alive\n');
  child.stdout.resume();
  expect(await once(child, 'close')).toEqual([7, null]);
});

test('an output whose reader has gone is an error of the write', async () => {
  const child = running(
    `process.stdout.on('error', () => {}); output.on('error', (error) => { process.stderr.write(error.code); ` +
      `input.destroy(); }); input.once('data', () => output.write('x'));`,
  );
  child.stdout.destroy();
  child.stdin.write('now');
  expect(String(((await once(child.stderr, 'data')) as [Buffer])[0])).toBe('EPIPE');
});

(existsSync('/dev/full') ? test : test.skip)(
  'an output that is a file on a full disk is an error of the write, even if others listen for errors',
  async () => {
    const full = openSync('/dev/full', 'w');
    atEnd(() => {
      closeSync(full);
    });
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `process.stdout.on('error', (error) => { throw error; }); const { standardStreams } = await ` +
          `import(${JSON.stringify(here)}); const { output } = standardStreams(); output.on('error', (error) => ` +
          `{ process.stderr.write(error.code); process.exitCode = 7; }); output.write('x');`,
      ],
      { stdio: ['ignore', full, 'pipe'] },
    );
    let err = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    expect(await once(child, 'close')).toEqual([7, null]);
    expect(err).toBe('ENOSPC');
  },
);
