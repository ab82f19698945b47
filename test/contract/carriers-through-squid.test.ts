import { certificates } from '../support/certificates.ts';
import { contractThrough } from './contract-through.ts';
import { squidPassword, startSquid } from '../support/squid.ts';

contractThrough({
  program: 'squid',
  name: 'squid with a password',
  certificates: certificates(),
  start: async () => ({
    scheme: 'http',
    host: '127.0.0.1',
    port: (await startSquid()).port,
    credentials: { user: 'alice', password: squidPassword },
  }),
});
