import { caddyInFront } from '../support/intermediary.ts';
import { sessionsThrough } from '../support/sessions-through.ts';

sessionsThrough('caddy', { remote: /^127\.0\.0\.1:\d+$/, start: caddyInFront });
