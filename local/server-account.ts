import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { Problem } from './problem';

/** Ids that a server runs with; those of this process unless it is root's, which PostgreSQL and PgBouncer refuse. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** Whom servers run as. */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) {
    return {};
  }
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (option: string) =>
        Number(execFileSync('id', [option, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user.
    }
  }
  throw new Problem('PostgreSQL cannot run as root, and there is no user nobody.', 'Run this as an ordinary user.');
}

/** Gives a file to the account. */
export function chown(file: string, { uid, gid }: Account): void {
  if (uid !== undefined && gid !== undefined) {
    chownSync(file, uid, gid);
  }
}
