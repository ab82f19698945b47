import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { AditProcess } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { Child, succeed } from '../support/child.ts';
import { converse } from '../support/conversation.ts';
import { adapted, blocksOf, documented } from '../support/documented.ts';
import { findPeer } from '../support/peers.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { accepting, ask, closedPort, echo } from '../support/services.ts';
import { startSshd } from '../support/sshd.ts';

const page = 'migrating.md';
const files = certificates();
const client = files.client('alice');

/** The files that the page names, in one folder; a port for the server, one for the laptop, and the service. */
async function places() {
  const folder = temporaryFolder();
  const [server, local, service] = [await closedPort(), await closedPort(), await echo()];
  const names = { 'edge1.crt': files.egress.cert, 'edge1.key': files.egress.key, 'ca.crt': files.ca };
  const own = { 'alice.crt': client.cert, 'alice.key': client.key };
  for (const [name, path] of Object.entries({ ...names, ...own }))
    await succeed('install', ['-m', '600', path, join(folder, name)]);
  for (const name of ['edge1', 'alice'])
    await succeed('sh', ['-c', `umask 077; cat ${name}.crt ${name}.key > ${name}.pem`], { cwd: folder });
  writeFileSync(join(folder, 'users.json'), JSON.stringify({ 'alice:secret': [`^${service.at}$`] }));
  return {
    folder,
    local,
    // `db.internal` and `tunnel.example.org` are this machine here.
    onServer: { '0.0.0.0': '127.0.0.1', '8443': String(server) },
    onLaptop: {
      '5432:db.internal:5432': `${local}:${service.at}`,
      'tunnel.example.org': '127.0.0.1',
      '8443': String(server),
    },
    service: service.at,
    server,
  };
}
type Places = Awaited<ReturnType<typeof places>>;

/** The words of a command of the page, with a program in the place of its first word. */
function words(line: string): string[] {
  return line.trim().split(' ').slice(1);
}

scenario('the side of Adit carries', ['install'], async () => {
  const { folder, local, onServer, onLaptop, service, server } = await places();
  const policy = adapted(documented(page, 'Adit', 'yaml'), { 'db.internal:5432': service });
  writeFileSync(join(folder, 'policy.yaml'), policy);
  const [egressLine, ingressLine] = blocksOf(page).filter(
    ({ heading, language }) => heading === 'Adit' && language === 'sh',
  );
  const log = ['--log-format', 'json'];
  const egress = new AditProcess([...words(adapted(egressLine!.text, onServer)), ...log], { cwd: folder });
  await egress.event('listening', { address: `127.0.0.1:${server}` });
  const ingress = new AditProcess([...words(adapted(ingressLine!.text, onLaptop)), ...log], { cwd: folder });
  await ingress.event('connected');
  expect(await ask(local, 'by adit')).toBe('by adit');
});

scenario('ssh -L carries the same', ['install', 'ssh', 'sshd'], async () => {
  const { local, service } = await places();
  const { at, user, options } = await startSshd();
  const line = adapted(documented(page, 'From ssh -L', 'sh peer'), {
    '5432:db.internal:5432': `${local}:${service}`,
    'alice@tunnel.example.org': `${user}@127.0.0.1`,
  });
  new Child('ssh', [...options, '-p', at.split(':')[1]!, ...words(line)]);
  await accepting(local);
  expect(await ask(local, 'by ssh')).toBe('by ssh');
});

scenario('stunnel carries the same', ['install', 'stunnel'], async () => {
  const { folder, local, service, onServer, server } = await places();
  const configuration = (name: string, text: string): string => {
    writeFileSync(join(folder, name), `foreground = yes\npid =\n${text}`);
    return join(folder, name);
  };
  const serverText = documented(page, 'From stunnel', 'ini peer-server');
  const far = adapted(serverText, { ...onServer, 'db.internal:5432': service });
  const near = adapted(documented(page, 'From stunnel', 'ini peer-client'), {
    '127.0.0.1:5432': `127.0.0.1:${local}`,
    'tunnel.example.org:8443': `127.0.0.1:${server}`,
    'checkHost = tunnel.example.org': 'checkIP = 127.0.0.1',
  });
  new Child('stunnel', [configuration('server.conf', far)], { cwd: folder });
  await accepting(server);
  new Child('stunnel', [configuration('client.conf', near)], { cwd: folder });
  await accepting(local);
  expect(await ask(local, 'by stunnel')).toBe('by stunnel');
});

/** Starts both sides of a peer as the page says. */
async function started(
  name: string,
  { folder, local, server }: Places,
  [far, near]: readonly [string, string],
): Promise<void> {
  new Child(findPeer(name)!, words(far), { cwd: folder });
  await accepting(server);
  const laptop = new Child(findPeer(name)!, words(near), { cwd: folder });
  await accepting(local);
  if (name === 'chisel') await laptop.line(/Connected/); // until then it drops what it accepts
}

for (const name of ['ghostunnel', 'wstunnel', 'chisel'].filter((peer) => findPeer(peer) !== undefined))
  scenario(`${name} carries the same`, ['install'], async () => {
    const at = await places();
    const heading = `From ${name}`;
    const destination = { 'db.internal:5432': at.service };
    const far = documented(page, heading, 'sh peer-server');
    const near = documented(page, heading, 'sh peer-client');
    const local = {
      '127.0.0.1:5432': `127.0.0.1:${at.local}`,
      'tunnel.example.org': '127.0.0.1',
      '8443': String(at.server),
    };
    await started(name, at, [
      adapted(far, { ...at.onServer, ...(name !== 'chisel' && destination) }),
      adapted(near, { ...local, ...(name !== 'ghostunnel' && destination) }),
    ]);
    await converse(at.local, `by ${name}`); // both halves open: not each of them carries a half-close
  });

scenario('every block of the page is one of these', [], async () => {
  const count = (heading: string): number => blocksOf(page).filter((block) => block.heading === heading).length;
  expect(['Adit', 'From ssh -L', 'From stunnel', 'From ghostunnel', 'From wstunnel', 'From chisel'].map(count)).toEqual(
    [3, 1, 2, 2, 2, 2],
  );
  expect(blocksOf(page)).toHaveLength(12);
  await Promise.resolve();
});
