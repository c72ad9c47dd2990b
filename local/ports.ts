import { createServer } from 'node:net';
import { Problem } from './problem';

/** The port that was asked for, if nobody has it, or one that the operating system picks. */
export function freePort(option: string, wanted?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Problem(`Port ${wanted} is busy.`, `End what listens on it, or give another with ${option}.`)
          : new Problem(`Port ${wanted} cannot be used (${error.code}).`, `Give another with ${option}.`),
      );
    });
    server.listen({ host: '127.0.0.1', port: wanted ?? 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
