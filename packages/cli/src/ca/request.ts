/** `adit ca request NAME`: makes a key that stays here, and the request for the CA to sign. Needs no store. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { checkName, createFile, createRequest, newPrivateKey, privateKeyPem } from '@adit/pki';
import { AditError, messageOf } from '@adit/shared/errors';
import { outOption } from './flags.ts';

/** The command. Fails with NAME_INVALID, FILE_EXISTS, FILE_UNREADABLE. */
export function requestCommand(): Command {
  return new Command('request')
    .description('make NAME.key and NAME.csr here, for "adit ca sign" where the CA is')
    .argument('<name>', 'letters, digits, dot, dash and underscore')
    .addOption(outOption())
    .action(request);
}

function request(name: string, { out }: { readonly out: string }): void {
  checkName(name);
  const [key, csr] = [join(out, `${name}.key`), join(out, `${name}.csr`)];
  const privateKey = newPrivateKey();
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    throw new AditError('FILE_UNREADABLE', `Cannot make the folder ${out}: ${messageOf(error)}.`, { cause: error });
  }
  createFile({ path: key, content: privateKeyPem(privateKey), mode: 0o600 });
  createFile({ path: csr, content: createRequest(name, privateKey), mode: 0o644 });
  process.stdout.write(`  ${key}  stays here\n  ${csr}  goes to the CA: adit ca sign ${name}.csr --client ${name}\n`);
}
