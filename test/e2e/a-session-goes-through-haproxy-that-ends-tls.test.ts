import { haproxyInFront } from '../support/intermediary.ts';
import { sessionsThrough } from '../support/sessions-through.ts';

// The address of the laptop comes in its PROXY header.
sessionsThrough('haproxy', {
  remote: /^127\.0\.0\.77:\d+$/,
  egressFlags: ['--accept-proxy-protocol', '127.0.0.1'],
  start: (front) => haproxyInFront(front),
});
