import { certificates } from '../support/certificates.ts';
import { contractThrough } from './contract-through.ts';
import { startDanted } from '../support/danted.ts';

contractThrough({
  program: 'danted',
  name: 'dante',
  certificates: certificates(),
  start: async () => ({ scheme: 'socks5', host: '127.0.0.1', port: (await startDanted()).port }),
});
