/**
 * Chromium without a window: opens a page, runs its scripts and says what the page became.
 * Rule: a profile of its own for every run, and no network but the proxy that it is given, for addresses of
 * this machine as well.
 */
import { join } from 'node:path';
import { createHash, createPublicKey } from 'node:crypto';
import { run } from './child.ts';
import { temporaryFolder } from './scope.ts';

export const chromium = 'chromium-headless-shell';

export interface PageOptions {
  /** As `--proxy-server` takes it: `socks5://127.0.0.1:1080`. */
  readonly proxy: string;
  /** PEM of the only certificate whose key is trusted. */
  readonly certificate?: string;
}

/** The document after its scripts have run and everything in it has loaded, or why there is none: `net::ERR_...`. */
export async function browse(url: string, { proxy, certificate }: PageOptions): Promise<string> {
  const home = temporaryFolder();
  const { code, stdout, stderr } = await run(
    chromium,
    [
      // Root has no sandbox; containers have a small /dev/shm.
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      `--user-data-dir=${join(home, 'profile')}`,
      `--proxy-server=${proxy}`,
      '--proxy-bypass-list=<-loopback>',
      ...(certificate === undefined ? [] : [`--ignore-certificate-errors-spki-list=${keyHash(certificate)}`]),
      '--dump-dom',
      url,
    ],
    { env: { HOME: home }, timeoutMs: 90_000 },
  );
  const failure = /Page load failed: (net::\w+)/.exec(stderr)?.[1];
  if (code !== 0 && failure === undefined) throw new Error(`${chromium} ended with ${code}\n${stderr.slice(-3000)}`);
  return failure ?? stdout;
}

/** SHA-256 of the public key, as Chromium writes it. */
function keyHash(certificate: string): string {
  return createHash('sha256')
    .update(createPublicKey(certificate).export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
