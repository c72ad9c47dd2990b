import { writeFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse, request } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { certificateOfLocalhost } from './certificates';

/** What stands for the load balancer: https on localhost, and what it says of a request to the web server. */
export interface LoadBalancer {
  readonly url: string;
  /** The authority that signed its certificate. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/** Takes https on a port, and hands it on to the port on 127.0.0.1 that the web server has just then. */
export async function startLoadBalancer(
  directory: string,
  port: number,
  target: () => number | undefined,
): Promise<LoadBalancer> {
  const caFile = join(directory, 'superset-ca.pem');
  const { authority, certificate, key } = await certificateOfLocalhost('Superset');
  writeFileSync(caFile, authority);
  const server = createServer({ cert: certificate, key }, (incoming, response) => {
    const targetPort = target();
    if (targetPort === undefined) {
      refuse(response, 503);
    } else {
      handOn(incoming, response, port, targetPort);
    }
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  return {
    url: `https://localhost:${port}`,
    caFile,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
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
