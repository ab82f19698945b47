import { nginxInFront } from '../support/intermediary.ts';
import { sessionsThrough } from '../support/sessions-through.ts';

sessionsThrough('nginx', { remote: /^127\.0\.0\.1:\d+$/, start: (front) => nginxInFront(front) });
