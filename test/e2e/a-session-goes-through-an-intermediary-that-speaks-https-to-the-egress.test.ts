import { type Front, nginxInFront } from '../support/intermediary.ts';
import { sessionsThrough } from '../support/sessions-through.ts';

/** As a CDN does with its origin: TLS again, without a certificate of the client's. */
const start = (front: Front): Promise<number> =>
  nginxInFront(front, {
    [`proxy_pass http://${front.http};`]:
      `proxy_pass https://${front.https!.at}; proxy_ssl_protocols TLSv1.3; proxy_ssl_verify on; ` +
      `proxy_ssl_trusted_certificate ${front.https!.ca}; proxy_ssl_name localhost;`,
  });

sessionsThrough('nginx', { remote: /^127\.0\.0\.1:\d+$/, start });
