/**
 * A Git repository over HTTP, as servers offer it: git's own http-backend behind a small HTTP server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { succeed } from './child.ts';
import { atEnd, temporaryFolder } from './scope.ts';

export interface GitHttp {
  /** `http://127.0.0.1:PORT/repository.git`, empty, and open to pushes. */
  readonly url: string;
  /** Requests so far. */
  readonly requests: readonly string[];
}

export async function startGitHttp(): Promise<GitHttp> {
  const folder = temporaryFolder();
  await succeed('git', ['init', '-q', '--bare', '-b', 'main', join(folder, 'repository.git')]);
  await succeed('git', ['-C', join(folder, 'repository.git'), 'config', 'http.receivepack', 'true']);
  const requests: string[] = [];
  const server = http
    .createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      backend(folder, request, response);
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/repository.git`, requests };
}

/** CGI (RFC 3875), as far as git needs it. */
function backend(folder: string, request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://git');
  const { headers } = request;
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: headers['content-type'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      ...(headers['content-length'] !== undefined && { CONTENT_LENGTH: headers['content-length'] }),
    },
  });
  child.stdin.on('error', () => {
    /* it may end without reading all of it */
  });
  request.pipe(child.stdin);
  let head = '';
  child.stdout.on('data', function begin(chunk: Buffer) {
    head += chunk.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    child.stdout.off('data', begin);
    for (const line of head.slice(0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/: */, 2);
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(Buffer.from(head.slice(end + 4), 'latin1'));
    child.stdout.pipe(response);
  });
}
