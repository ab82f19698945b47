import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { AditProcess, builtProgram, listeningPort, openPolicy, portOf } from '../support/adit.ts';
import { tested } from '../support/arguments.ts';
import { run } from '../support/child.ts';
import { converse } from '../support/conversation.ts';
import { blocksOf } from '../support/documented.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { ask, echo } from '../support/services.ts';

const blocks = blocksOf('backup.md').filter(({ language }) => language === 'sh');
const block = (heading: string, at = 0): string => blocks.filter((each) => each.heading === heading)[at]!.text;
const rotation = 'Replace the CA without an outage';

/** A folder with a CA, where a block of the page runs as a reader would run it. */
function store(): { readonly folder: string; runs(text: string): Promise<string> } {
  const folder = temporaryFolder();
  const runs = async (text: string): Promise<string> => {
    const adit = `adit() { "${process.execPath}" "${builtProgram()}" "$@"; }\nset -e\n`;
    const { code, stdout, stderr } = await run('sh', ['-c', adit + text], { cwd: folder });
    expect({ text, code, stderr }).toEqual({ text, code: 0, stderr: '' });
    return stdout;
  };
  return { folder, runs };
}

scenario('a CA is replaced as the page says while a connection stays open', ['sh'], async () => {
  const { folder, runs } = store();
  await runs('adit ca init --trust-domain example.org; adit ca crl');
  await runs('adit ca issue egress edge1 --host 127.0.0.1 --out edge1; cp ca/crl.pem edge1/');
  await runs('adit ca issue client alice --group developers --out alice');
  writeFileSync(join(folder, 'policy.yaml'), openPolicy);
  const at = (name: string): string => join(folder, name);
  const egress = new AditProcess([
    ...['egress', '--listen', '127.0.0.1:0', '--cert', at('edge1/edge1.crt'), '--key', at('edge1/edge1.key')],
    ...['--client-ca', at('edge1/ca.crt'), '--crl', at('edge1/crl.pem'), '--policy', at('policy.yaml'), ...tested],
  ]);
  const ingress = new AditProcess([
    ...['ingress', '--egress', `127.0.0.1:${portOf(await egress.event('listening'))}`, '--ca', at('alice/ca.crt')],
    ...['--cert', at('alice/alice.crt'), '--key', at('alice/alice.key'), '-L', `0:${(await echo()).at}`, ...tested],
  ]);
  const port = await listeningPort(ingress, {});
  const open = await converse(port, 'under the old CA');
  /** What both have loaded is what is on disk, when each has said so as often as its files were changed. */
  const loaded = async (process: AditProcess, what: string): Promise<void> => {
    process.signal('SIGHUP'); // the page waits for `reloaded`; a signal makes that the last word
    const before = process.all('reloaded', { what }).length;
    await process.event('reloaded', { what }, { nth: before + 1 });
    await open.echoes('still open');
    expect(await ask(port, 'a new one')).toBe('a new one');
  };

  await runs(block(rotation, 0));
  await runs(block(rotation, 1));
  await loaded(egress, 'certificates');
  await loaded(ingress, 'certificates');
  await runs(block(rotation, 2));
  await loaded(egress, 'certificates');
  await runs(block(rotation, 3));
  await ingress.event('connected', { resumed: true });
  await loaded(ingress, 'certificates');
  await runs(block(rotation, 4));
  await loaded(egress, 'certificates');
  await loaded(ingress, 'certificates');

  open.socket.end();
  expect((await open.received).ending).toBe('end');
  expect([egress.all('denied'), ingress.all('denied'), ingress.all('refused')]).toEqual([[], [], []]);
});

scenario('a CA is backed up, lost and restored as the page says', ['sh', 'tar', 'openssl'], async () => {
  const { folder, runs } = store();
  await runs('adit ca init --trust-domain example.org; adit ca issue client alice --out alice; adit ca crl');
  writeFileSync(join(folder, 'backup.pass'), 'correct horse\n', { mode: 0o600 });
  const key = readFileSync(join(folder, 'ca', 'ca.key'), 'utf8');
  await runs(block('Back up the CA'));
  rmSync(join(folder, 'ca'), { recursive: true });
  mkdirSync(join(folder, 'elsewhere'));

  expect(await runs(block('Restore it'))).toContain('alice');
  expect(readFileSync(join(folder, 'ca', 'ca.key'), 'utf8')).toBe(key);
  await runs('adit ca issue client alice --renew --out elsewhere');
});

scenario('every command of the page is one of these', [], async () => {
  expect(blocks.map(({ heading }) => heading)).toEqual([
    'Back up the CA',
    'Restore it',
    ...Array.from({ length: 5 }, () => rotation),
  ]);
  await Promise.resolve();
});
