import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDirectory } from './directories';
import { Emulator, startEmulator } from './emulator';
import { freePort } from './ports';
import { connect } from './login';
import { LocalPostgres, startPostgres } from './postgres';
import { Problem } from './problem';
import { stopAll } from './processes';
import { ensurePythonEnvironment, findPython } from './python';

export interface LocalCloudOptions {
  readonly account: string;
  readonly region: string;
  /** @default - one that is free */
  readonly emulatorPort?: number;
  /** @default - one that is free */
  readonly postgresPort?: number;
}

/** An AWS account and a PostgreSQL on loopback, for as long as one run lasts. */
export class LocalCloud {
  /** Directory of the run: logs, data, and what the CDK CLI writes. */
  public readonly directory = makeRunDirectory();
  /** Rejects as soon as a part dies that nobody asked to stop. */
  public readonly died: Promise<never>;
  private reportDeath!: (problem: Problem) => void;
  private startingPostgres?: Promise<LocalPostgres>;
  private runningPostgres?: LocalPostgres;
  private runningEmulator?: Emulator;
  private python?: string;
  private stopping?: Promise<void>;

  constructor(public readonly options: LocalCloudOptions) {
    this.died = new Promise((_, reject) => (this.reportDeath = reject));
    this.died.catch(() => undefined);
  }

  public get postgres(): LocalPostgres {
    return started(this.runningPostgres, 'PostgreSQL');
  }

  public get emulator(): Emulator {
    return started(this.runningEmulator, 'the emulator');
  }

  /** Path of a log of this run. */
  public log(name: string): string {
    return join(this.directory, `${name}.log`);
  }

  public async startPostgres(): Promise<void> {
    const port = await freePort('--postgres-port', this.options.postgresPort);
    this.startingPostgres = startPostgres({ version: 17, directory: join(this.directory, 'postgres'), port });
    this.runningPostgres = await this.startingPostgres;
    this.watch('PostgreSQL', connectionLost(this.runningPostgres));
  }

  /** Makes the Python environment of the emulator, unless the last run has left it. */
  public async preparePython(): Promise<void> {
    this.python = await ensurePythonEnvironment(findPython(), this.log('python'));
  }

  /** Starts the emulator, whose Lambda functions trust the certificates of the PostgreSQL. */
  public async startEmulator(): Promise<void> {
    const { account, region, emulatorPort } = this.options;
    const port = await freePort('--emulator-port', emulatorPort);
    this.runningEmulator = await startEmulator({
      python: started(this.python, 'the Python environment'),
      directory: this.directory,
      port,
      account,
      region,
      databaseCaFile: this.postgres.caFile,
    });
    this.watch('The emulator', this.runningEmulator.ended);
  }

  /** Ends all that was started, and removes what it left on disk. */
  public stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    const postgres = this.startingPostgres?.then(
      (part) => part.stop(),
      () => undefined,
    );
    await Promise.all([stopAll(), postgres]);
    await stopAll(); // what was about to start
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  private watch(part: string, ended: Promise<string>): void {
    void ended.then((how) => {
      if (!this.stopping) {
        this.reportDeath(new Problem(`${part} has died (${how}).`, 'Start again; nothing was kept of this run.'));
      }
    });
  }
}

/** A connection that nobody uses, and that lasts as long as the server; resolves when it is lost. */
async function connectionLost({ host, port, caFile, superuser }: LocalPostgres): Promise<string> {
  try {
    const client = await connect({ ...superuser, host, port: String(port), database: 'postgres', caFile });
    return await new Promise((resolve) => client.once('end', () => resolve('connection lost')));
  } catch (error) {
    return (error as Error).message;
  }
}

function started<Part>(part: Part | undefined, name: string): Part {
  if (part === undefined) {
    throw new Error(`${name} was not started`);
  }
  return part;
}
