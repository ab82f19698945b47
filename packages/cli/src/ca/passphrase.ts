/**
 * Secrets for `adit ca`: from a file, the environment, or a question on the terminal; never from the command line,
 * which `ps` shows.
 * Rule: the file wins over the environment, and the environment over the question. Without a terminal there is no
 * question. A file that others may read is refused, as a key is.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { AditError } from '@adit/shared/errors';
import { readSecretFile } from '@adit/shared/identity/credentials';

export interface PassphraseFlags {
  readonly passphraseFile?: string;
  readonly passphrase?: true;
}

/** For an existing CA: asks only if `Store` finds that its key is encrypted. Fails with CA_PASSPHRASE. */
export function passphraseSource(flags: PassphraseFlags): () => Promise<string | undefined> {
  return async () => given(flags.passphraseFile, 'ADIT_CA_PASSPHRASE') ?? ask('Passphrase of the CA key: ');
}

/** For a new CA: none unless given; --passphrase asks for it twice. Fails with CA_PASSPHRASE. */
export async function newPassphrase(flags: PassphraseFlags): Promise<string | undefined> {
  const found = given(flags.passphraseFile, 'ADIT_CA_PASSPHRASE');
  if (found !== undefined || flags.passphrase !== true) return found;
  return askTwice('Passphrase for the CA key: ');
}

/**
 * The password of a PKCS#12 file: from a file, from ADIT_P12_PASSWORD, or asked for twice. Fails with USAGE if there is
 * none.
 */
export async function p12Password(file: string | undefined): Promise<string> {
  return given(file, 'ADIT_P12_PASSWORD', 'USAGE') ?? (await askTwice('Password for the PKCS#12 file: ', 'USAGE'));
}

type SecretCode = 'CA_PASSPHRASE' | 'USAGE';

function given(file: string | undefined, variable: string, code: SecretCode = 'CA_PASSPHRASE'): string | undefined {
  const text = file === undefined ? process.env[variable] : firstLine(file);
  if (text === '') throw new AditError(code, `The secret in ${file ?? variable} is empty.`);
  return text;
}

function firstLine(file: string): string {
  return readSecretFile(file, 'file', 'FILE_UNREADABLE').toString('utf8').split(/\r?\n/, 1)[0]!;
}

async function askTwice(question: string, code: SecretCode = 'CA_PASSPHRASE'): Promise<string> {
  const first = await ask(question, code);
  if (first === undefined || first === '')
    throw new AditError(
      code,
      first === ''
        ? 'An empty secret protects nothing.'
        : 'A secret is needed, and there is no terminal to ask for it: give it in a ' +
            `file${code === 'USAGE' ? ' (--p12-password-file) or in ADIT_P12_PASSWORD' : ''}.`,
    );
  if ((await ask('The same again: ', code)) !== first) throw new AditError(code, 'The two are not the same.');
  return first;
}

/** Reads an answer without echo; undefined without a terminal. */
async function ask(question: string, code: SecretCode = 'CA_PASSPHRASE'): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  process.stderr.write(question);
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('close', () => {
        reject(new AditError(code, 'No secret was typed.'));
      });
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
