import { AddressInfo, Socket, connect } from 'node:net';
import { Server, createServer } from 'node:tls';

export interface TlsFrontOptions {
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** Port on 127.0.0.1 of a server that speaks no TLS. */
  readonly to: number;
}

/** The TLS of a server that has none. */
export interface TlsFront {
  /** Takes connections on another port too; answers which. */
  listenFor(onConnection: () => void): Promise<number>;
  stop(): Promise<void>;
}

/** Takes TLS connections on 127.0.0.1, and hands on what they carry. */
export async function startTlsFront({ port, certificate, key, to }: TlsFrontOptions): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const listen = async (wanted: number, onConnection: () => void): Promise<number> => {
    const server = createServer({ cert: certificate, key }, (outer) => {
      onConnection();
      const inner = connect({ host: '127.0.0.1', port: to });
      for (const [from, into] of [
        [outer, inner],
        [inner, outer],
      ]) {
        sockets.add(from);
        from.setNoDelay(true);
        from.pipe(into);
        // An error is told to the other side as what it is there: the end of the connection.
        from.on('error', () => into.destroy());
        from.once('close', () => {
          sockets.delete(from);
          into.destroy();
        });
      }
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: wanted }, resolve);
    });
    server.unref();
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };
  await listen(port, () => undefined);
  return {
    listenFor: (onConnection) => listen(0, onConnection),
    stop: async () => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      sockets.forEach((socket) => socket.destroy());
      await Promise.all(closed);
    },
  };
}
