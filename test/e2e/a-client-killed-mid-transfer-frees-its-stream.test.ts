import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { Child } from '../support/child.ts';
import { pattern } from '../support/pattern.ts';
import { ask, echo, service } from '../support/services.ts';

const flood =
  "const s = require('net').connect(+process.argv[1], '127.0.0.1'); let n = 0; s.on('data', c => { n += " +
  "c.length; if (n > 4e6) { console.log('enough'); n = -Infinity; } }); const w = () => { while " +
  "(s.write(Buffer.alloc(65536))); s.once('drain', w); }; if (process.argv[2] === 'up') w(); s.on('error', () " +
  '=> {});';

test.each(['up', 'down'])(
  'when a client is killed while bytes go %s, the service is told, the record is written, and others go on',
  async (direction) => {
    let arrived = 0;
    let enough: () => void = () => {};
    const halfway = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const busy = await service((socket) => {
      if (direction === 'up')
        socket
          .on('data', (chunk) => {
            arrived += chunk.length;
            if (arrived > 4e6) enough();
          })
          .on('end', () => {
            socket.end();
          });
      else for (const chunk of pattern(64)) socket.write(chunk);
    });
    const echoes = await echo();
    const tunnel = await openTunnel({ to: { busy: busy.at, echo: echoes.at } });
    const child = new Child(process.execPath, ['-e', flood, String(tunnel.port('busy')), direction]);

    if (direction === 'up') await halfway;
    else await child.line(/enough/);
    await child.kill();
    const record = await tunnel.egress.process.event('stream', { requested: busy.at });
    expect(record).toMatchObject({
      verdict: 'allow',
      [direction === 'up' ? 'bytesUp' : 'bytesDown']: expect.any(Number),
    });
    expect(await ask(tunnel.port('echo'), 'others')).toBe('others');
  },
);
