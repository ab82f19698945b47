import { expect } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { notifySocket } from '../support/notify-socket.ts';
import { scenario } from '../support/scenario.ts';

const files = certificates();
const environment = (path: string) => ({ env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' } });

scenario('an egress tells that it is ready, reloads, and stops, and feeds the watchdog', ['python3'], async () => {
  const socket = await notifySocket();
  const egress = await startEgress({ certificates: files, process: environment(socket.path) });

  expect(await socket.message(/./)).toBe('READY=1|STATUS=clients: 0, streams: 0');
  await socket.message(/^WATCHDOG=1/, 2);
  egress.process.signal('SIGHUP');
  await socket.message(/^RELOADING=1\|MONOTONIC_USEC=\d+$/);
  await egress.process.event('reloaded', { what: 'policy' });
  await socket.message(/^READY=1/, 2);
  egress.process.signal('SIGTERM');
  await socket.message(/^STOPPING=1\|STATUS=Draining$/);
  await egress.process.ends(0); // a second signal in the last moments of a process would be its end
});

scenario('an ingress tells the egress that it has reached', ['python3'], async () => {
  const [egress, socket] = [await startEgress({ certificates: files }), await notifySocket({ abstract: true })];
  const ingress = await startIngress({
    certificates: files,
    egressPort: egress.port,
    to: { nothing: '127.0.0.1:9' },
    process: environment(socket.path),
  });

  expect(await socket.message(/./)).toMatch(/^READY=1\|STATUS=egress: .*; connections: 0$/);
  await socket.message(new RegExp(`STATUS=egress: 127\\.0\\.0\\.1:${egress.port}; connections: 0$`));
  ingress.process.signal('SIGHUP');
  await socket.message(/^RELOADING=1/);
  await socket.message(/^READY=1/, 2);
  ingress.process.signal('SIGTERM');
  await socket.message(/^STOPPING=1/);
  await ingress.process.ends(0);
});
