import { expect } from '@jest/globals';
import { type Egress, policyOf, startEgress } from '../support/adit.ts';
import { certificates, type Certificates, type KeyPair } from '../support/certificates.ts';
import { type Finished, succeed } from '../support/child.ts';
import { connectHttp2, http2Connection } from '../support/connect-client.ts';
import { curlThroughEgress, http2At, proxyStatusOf } from '../support/curl.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { within } from '../support/scope.ts';
import { shared } from '../support/shared.ts';
import { closedPort, hashing, resetting } from '../support/services.ts';

interface Place {
  readonly files: Certificates;
  readonly alice: KeyPair;
  readonly nginx: Nginx;
  readonly egress: Egress;
  readonly open: string;
}

const setUp = shared(async (): Promise<Place> => {
  const files = certificates();
  const nginx = await startNginx();
  const egress = await startEgress({
    certificates: files,
    policy: policyOf({ allow: ['127.0.0.1:*', 'web'], services: { web: `tcp://${nginx.http}` } }),
  });
  return { files, nginx, egress, alice: files.client('alice'), open: nginx.http };
});

const curl = ({ files, egress }: Place, pair: KeyPair | undefined, ...args: readonly string[]): Promise<Finished> =>
  curlThroughEgress({ port: egress.port, files, pair }, ...args);

scenario('plain HTTP, TLS from end to end, and a service by its name', ['curl', 'nginx'], async () => {
  const place = await setUp();

  expect((await curl(place, place.alice, `http://${place.open}/hello`)).stdout).toBe(
    'hello from nginx over HTTP/1.1\n200',
  );
  const secure = await curl(
    place,
    place.alice,
    ...http2At(place.nginx.https.split(':')[1]!, place.nginx.ca),
    'https://localhost/hello',
  );
  expect(secure.stdout).toBe('hello from nginx over HTTP/2.0\n200');
  expect((await curl(place, place.alice, 'http://web.adit.internal/hello')).stdout).toBe(
    'hello from nginx over HTTP/1.1\n200',
  );
  expect(await place.egress.process.event('stream', { requested: 'web' })).toMatchObject({
    identity: 'spiffe://example.org/client/alice',
    frontEnd: 'connect',
    verdict: 'allow',
    end: 'finished',
  });
});

scenario('HEAD over HTTP/2 is answered as GET is, without the body', ['curl', 'nginx'], async () => {
  const { files, egress, alice } = await setUp();
  const client = ['--cacert', files.ca, '--cert', alice.cert, '--key', alice.key];
  const head = async (path: string): Promise<string> =>
    (await succeed('curl', ['-sSI', '--http2', ...client, `https://127.0.0.1:${egress.port}${path}`])).stdout;

  expect(await head('/healthz')).toMatch(/^HTTP\/2 200 \r\n[^]*content-length: 3\r\n/);
  expect(await head('/elsewhere')).toMatch(/^HTTP\/2 404 \r\n/);
});

scenario('every refusal has its status, its Proxy-Status and its reason', ['curl', 'nginx'], async () => {
  const place = await setUp();
  const refused = async (pair: KeyPair | undefined, url: string): Promise<readonly [string, string]> => {
    const answer = await curl(place, pair, url);
    expect(answer.code).toBe(56); // "failure in receiving network data": what curl calls a refused CONNECT
    return [answer.stdout, proxyStatusOf(answer)];
  };

  expect(await refused(place.alice, 'http://127.0.0.2:1/')).toEqual([
    '403',
    expect.stringMatching(/^adit; error=http_request_denied; details=".+"; adit-code=POLICY_DENIED$/),
  ]);
  expect(await refused(place.alice, 'http://nothing.adit.internal/')).toEqual([
    '404',
    expect.stringMatching(/^adit; error=destination_not_found; .* adit-code=UNKNOWN_SERVICE$/),
  ]);
  expect(await refused(place.alice, `http://127.0.0.1:${await closedPort()}/`)).toEqual([
    '502',
    expect.stringMatching(/^adit; error=connection_refused; .* adit-code=CONNECTION_REFUSED$/),
  ]);
  expect(await refused(undefined, `http://${place.open}/`)).toEqual([
    '403',
    expect.stringMatching(
      /^adit; error=http_request_denied; details="it presented no certificate"; adit-code=CLIENT_CERT_MISSING$/,
    ),
  ]);
  expect(await refused(place.files.client('mallory'), `http://${place.open}/`)).toEqual([
    '403',
    expect.stringMatching(/adit-code=IDENTITY_NOT_IN_POLICY$/),
  ]);
});

scenario('half-closes and resets cross one connection of an HTTP/2 client, such as Envoy', ['nginx'], async () => {
  const { files, egress, alice } = await setUp();
  const to = await hashing();
  const session = await http2Connection({ port: egress.port, certs: files }, alice);
  const whole = await connectHttp2(session, to.at);

  whole.duplex.end(Buffer.alloc(3_000_000));

  expect(String((await within(30_000, 'the answer', whole.received)).bytes)).toMatch(/^3000000 /);
  const rude = await resetting();
  const cut = await connectHttp2(session, rude.at);
  cut.duplex.write('x');
  expect((await within(30_000, 'the reset', cut.received)).ending).toBe('reset');
  expect((await connectHttp2(session, '127.0.0.2:1')).status).toBe(403);
  session.close();
});
