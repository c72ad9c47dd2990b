import { writeFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse, request } from 'node:http';
import { createServer } from 'node:https';
import { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { certificateOfLocalhost } from './certificates';

/** What stands for a load balancer: https on localhost, and what it says of a request to the web server. */
export interface LoadBalancer {
  readonly url: string;
  readonly port: number;
  /** The authority that signed its certificate. */
  readonly caFile: string;
  stop(): Promise<void>;
}

export interface LoadBalancerOptions {
  /** Where the authority of its certificate is written. */
  readonly directory: string;
  readonly port: number;
  /** Names that its certificate is for, beside localhost. @default - none */
  readonly hostNames?: string[];
}

/** Where a request goes: to a port on 127.0.0.1, which there may not be just then, or nowhere, with that status for an answer. */
export type Target = { readonly port?: number } | { readonly status: number };

/** What browsers take for this machine, and a load balancer for the host name before it. */
const LOOPBACK = 'localhost';

/** A host name as browsers find it on this machine. */
export function nameOnLoopback(hostName?: string): string {
  return hostName ? `${hostName}.${LOOPBACK}` : LOOPBACK;
}

/** Finds such names: unlike browsers, Node.js asks the network for them. */
export const onLoopback: LookupFunction = (_, { all }, callback) =>
  all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

/** Takes https on a port, and hands each request on to where its host name leads just then. */
export async function startLoadBalancer(
  { directory, port, hostNames = [] }: LoadBalancerOptions,
  target: (hostName: string) => Target,
): Promise<LoadBalancer> {
  const caFile = join(directory, 'superset-ca.pem');
  const { authority, certificate, key } = await certificateOfLocalhost('Superset', hostNames.map(nameOnLoopback));
  writeFileSync(caFile, authority);
  const server = createServer({ cert: certificate, key }, (incoming, response) => {
    const to = target(hostNameOf(incoming));
    if ('status' in to) {
      refuse(response, to.status);
    } else if (to.port === undefined) {
      refuse(response, 503);
    } else {
      handOn(incoming, response, port, to.port);
    }
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  return {
    url: `https://${LOOPBACK}:${port}`,
    port,
    caFile,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The host name that was asked for, without what leads it to this machine. */
function hostNameOf({ headers }: IncomingMessage): string {
  const [name] = (headers.host ?? '').toLowerCase().split(':');
  return name.endsWith(`.${LOOPBACK}`) ? name.slice(0, -LOOPBACK.length - 1) : name;
}

function handOn(incoming: IncomingMessage, response: ServerResponse, port: number, targetPort: number): void {
  // As an Application Load Balancer: the host stays, the client's address is added to what it claims.
  const { 'x-forwarded-for': claimed, ...headers } = incoming.headers;
  const outgoing = request({
    host: '127.0.0.1',
    port: targetPort,
    method: incoming.method,
    path: incoming.url,
    agent: false,
    headers: {
      ...headers,
      connection: 'close',
      'x-forwarded-for': [claimed, incoming.socket.remoteAddress].flat().filter(Boolean).join(', '),
      'x-forwarded-proto': 'https',
      'x-forwarded-port': String(port),
    },
  });
  outgoing.once('response', (answer) => {
    // Those are for the connection between us and the web server.
    delete answer.headers.connection;
    delete answer.headers['keep-alive'];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  outgoing.once('error', () => (response.headersSent ? response.destroy() : refuse(response, 502)));
  response.once('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${status}\n`);
}
