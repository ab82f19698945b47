import { describe, expect, test } from '@jest/globals';
import { AditError } from '../errors.ts';
import { endingOf, runProgram, type Host, type Program } from './run-program.ts';

/** A program that does one thing, and the host it runs on. */
async function run(
  action: (argv: readonly string[]) => void,
  node = '24.0.0',
): Promise<{
  stderr: string;
  exitCode: Host['exitCode'];
  overridden: number;
  streamError: (error: NodeJS.ErrnoException) => void;
}> {
  let stderr = '';
  let overridden = 0;
  let streamError: (error: NodeJS.ErrnoException) => void = () => {
    throw new Error('nobody listens');
  };
  const stream = {
    on: (_: 'error', listener: typeof streamError) => {
      streamError = listener;
    },
  };
  const host: Host = {
    argv: ['node', 'adit'],
    versions: { node },
    stdout: stream,
    stderr: {
      ...stream,
      write: (text: string) => {
        stderr += text;
      },
    },
  };
  const command = (commands: readonly Program[]): Program => ({
    commands,
    exitOverride: () => {
      overridden++;
    },
    configureOutput: ({ outputError }) => {
      outputError();
    },
    parseAsync: async (argv) => {
      action(argv);
    },
  });
  await runProgram('adit', () => command([command([command([])]), command([])]), host);
  return { stderr, exitCode: host.exitCode, overridden, streamError };
}
const commanderError = (code: string, message: string, exitCode = 1): Error =>
  Object.assign(new Error(message), { code, exitCode });

describe('a program', () => {
  test('that succeeds keeps the exit status of its command; a nested command reports its errors here', async () => {
    expect(
      await run(() => {
        /* fine */
      }),
    ).toMatchObject({ stderr: '', exitCode: undefined, overridden: 4 });
  });
  test.each(['22.23.0', '23.11.1', '9.0.0'])('says so on Node %s, which is too old, and runs nothing', async (node) => {
    expect(
      await run(() => {
        throw new Error('it ran');
      }, node),
    ).toMatchObject({
      stderr: `adit: This is Node ${node}, and Adit runs on Node 24 or newer. See --help. [USAGE]\n`,
      exitCode: 2,
    });
  });
  test('prints an AditError as one line and exits with the status of the table', async () => {
    expect(
      await run(() => {
        throw new AditError('CREDENTIALS_UNUSABLE', 'edge.key does not belong to edge.crt');
      }),
    ).toMatchObject({
      stderr:
        'adit: edge.key does not belong to edge.crt. Check --cert and --key with "adit ca show FILE". ' +
        '[CREDENTIALS_UNUSABLE]\n',
      exitCode: 3,
    });
    expect(
      await run(() => {
        throw new AditError('CLIENT_CERT_REVOKED', 'Denied!');
      }),
    ).toMatchObject({
      stderr: expect.stringMatching(/^adit: Denied! The certificate was revoked: .* \[CLIENT_CERT_REVOKED\]\n$/),
      exitCode: 4,
    });
  });
  test('prints each complaint on a line of its own, and the advice once', () => {
    expect(endingOf('adit', new AditError('CONFIG_UNKNOWN_KEY', 'f:1:1: a\nf:2:1: b'))).toEqual({
      text: 'adit: f:1:1: a\nadit: f:2:1: b. Remove the key or correct its spelling. [CONFIG_UNKNOWN_KEY]\n',
      status: 2,
    });
  });
  test('does not let the text of an error move the cursor', () => {
    expect(endingOf('adit', new AditError('NOT_FOUND', 'no \x1b[2Jalice')).text).toContain('no \\x1b[2Jalice');
  });
  test('exits 2 for wrong usage, with the suggestion of commander on the same line', async () => {
    expect(
      await run(() => {
        throw commanderError('commander.unknownOption', "error: unknown option '--lissten'\n(Did you mean --listen?)");
      }),
    ).toMatchObject({
      stderr: "adit: unknown option '--lissten' (Did you mean --listen?). See --help. [USAGE]\n",
      exitCode: 2,
    });
  });
  test('exits 0 for help and version, 2 for help that nobody asked for', () => {
    expect(endingOf('adit', commanderError('commander.helpDisplayed', '(outputHelp)', 0))).toEqual({
      text: '',
      status: 0,
    });
    expect(endingOf('adit', commanderError('commander.version', '1.0', 0))).toEqual({ text: '', status: 0 });
    expect(endingOf('adit', commanderError('commander.help', '(outputHelp)', 0)).status).toBe(0);
    expect(endingOf('adit', commanderError('commander.help', '(outputHelp)')).status).toBe(2);
  });
  test('shows the stack of a bug and exits 1', async () => {
    expect(
      await run(() => {
        throw new TypeError('x is not a function');
      }),
    ).toMatchObject({
      stderr: expect.stringMatching(/^adit: a bug: TypeError: x is not a function\n\s+at /),
      exitCode: 1,
    });
    expect(endingOf('adit', 'text')).toEqual({ text: 'adit: a bug: text\n', status: 1 });
    expect(endingOf('adit', undefined).status).toBe(1);
  });
  test('takes a reader that leaves early as no error, and nothing else so', async () => {
    const { streamError } = await run(() => {
      /* fine */
    });
    expect(() => {
      streamError(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    }).not.toThrow();
    expect(() => {
      streamError(Object.assign(new Error('EIO'), { code: 'EIO' }));
    }).toThrow('EIO');
  });
});
