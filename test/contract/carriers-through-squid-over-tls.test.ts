import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { certificates } from '../support/certificates.ts';
import { contractThrough } from './contract-through.ts';
import { squidPassword, startSquid } from '../support/squid.ts';

const certs = certificates();

contractThrough({
  program: 'squid',
  name: 'squid over TLS',
  certificates: certs,
  only: 'TLS',
  start: async () => ({
    scheme: 'https',
    host: '127.0.0.1',
    port: (await startSquid({ tls: certs.egress })).port,
    credentials: { user: 'alice', password: squidPassword },
    ca: loadTrustAnchors(certs.ca),
  }),
});
