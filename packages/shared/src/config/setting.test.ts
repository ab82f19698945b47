import { egressSettings } from '@adit/egress';
import { ingressSettings } from '@adit/ingress';
import { expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolveOptions } from './resolve.ts';
import { allOptional, optional, variableOf, type Setting, type Settings } from './setting.ts';

const document = new URL('../../../../docs/configuration.md', import.meta.url);

test('the variable of a setting is its name in capitals behind ADIT_', () => {
  expect(variableOf('client-ca')).toBe('ADIT_CLIENT_CA');
  expect(variableOf('max-streams-per-identity')).toBe('ADIT_MAX_STREAMS_PER_IDENTITY');
});

test('what is optional may be missing, and loses nothing else', () => {
  const { cert } = egressSettings;
  expect(optional(cert)).toEqual({ name: 'cert', argument: 'FILE', parse: cert.parse, help: cert.help });
  const { key, maxStreams, listen } = resolveOptions(allOptional(egressSettings), { flags: {}, environment: {} });
  expect(key).toBeUndefined();
  expect(maxStreams).toBe(65_536);
  expect(listen).toHaveLength(1);
});

function table(settings: Settings): string {
  const row = ({ name, short, argument, many, required, fallback, help }: Setting): string =>
    [
      `\`${short === undefined ? '' : `-${short}, `}--${name}${argument === undefined ? '' : ` ${cell(argument)}`}\``,
      `\`${name}:\`${many ? ' (list)' : ''}`,
      `\`${variableOf(name)}\``,
      required ? 'required' : fallback === undefined ? '' : `\`${fallback}\``,
      help,
    ].join(' | ');
  return [
    '| flag | key | variable | default | |',
    '| --- | --- | --- | --- | --- |',
    ...Object.values(settings).map((setting) => `| ${row(setting)} |`),
    '| `--config FILE` | | `ADIT_CONFIG` | | YAML file with any of these as keys |',
  ].join('\n');
}

/** A bar ends a cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

test('docs/configuration.md lists every setting as the tables have it', () => {
  const text = readFileSync(document, 'utf8');
  const marker = text.indexOf('<!-- Generated');
  const start = text.indexOf('\n', marker) + 1;
  const generated = `
## adit egress

${table(egressSettings)}

## adit ingress

${table(ingressSettings)}

## Secrets

Every user of a machine can read the arguments of every process. So a value that holds a credential is refused
on the command line: a \`--proxy\` with a user, and a \`--header\` such as \`Authorization\`, \`Cookie\` or one
with a token in it. It belongs into a file (\`--proxy-file\`, \`--header-file\`), into its variable, or into the
configuration file.

A file with a secret may be read by its owner only (\`chmod 600\`), or also by a group if root owns it. That
holds for keys, for the files of \`--proxy-file\`, \`--header-file\`, \`--socks-auth-file\` and
\`--http-proxy-auth-file\`, for passphrases and passwords of \`adit ca\`, and for a configuration file with a
credential in it. Adit does not start with a file that others may read.

\`--header-file\` has a line \`NAME: VALUE\` for each header; empty lines and lines that begin with \`#\` are
ignored. It is read again when it changes, for the next connection.

The passphrases of \`adit ca\` come from a file, a prompt, or \`ADIT_CA_PASSPHRASE\` and \`ADIT_P12_PASSWORD\`,
never from a flag. \`ADIT_CA_DIR\` names the folder of the CA.
`;
  expect(marker).toBeGreaterThan(0);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(document, text.slice(0, start) + generated);
  else expect(text.slice(start)).toBe(generated);
});
