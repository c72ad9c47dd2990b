/** Who connects in a run, by what names this machine knows it by. */
export type Client =
  | { readonly task: string }
  | { readonly function: string }
  | { readonly proxy: string }
  | { readonly loadBalancer: string }
  | { readonly people: true };

/** A connection to a port of this machine. */
export interface Seen {
  readonly client: Client;
  readonly port: number;
}

/** What connects to what on this machine, noted by those that see it. */
export class ConnectionRecord {
  private readonly seen = new Map<string, Seen>();
  private readonly families = new Map<string, string>();
  private readonly listeners = new Map<number, Client>();

  /** A task of a task definition, which its family names. */
  public addTask(task: string, family: string): void {
    this.families.set(task, family);
  }

  /** What stands behind a port, if it is no server of the emulator's. */
  public listens(port: number, client: Client): void {
    this.listeners.set(port, client);
  }

  /** Notes a connection. */
  public note(client: Client, port: number): void {
    this.seen.set(JSON.stringify([client, port]), { client, port });
  }

  public connections(): Seen[] {
    return [...this.seen.values()];
  }

  public behind(port: number): Client | undefined {
    return this.listeners.get(port);
  }

  /** The family of a task. */
  public familyOf(task: string): string | undefined {
    return this.families.get(task);
  }

  /** The families of all tasks that have run. */
  public ranFamilies(): string[] {
    return [...new Set(this.families.values())];
  }
}

/** The name under which a client connects to PostgreSQL: `task:1a2b3c4d`. */
export function applicationName(client: Client): string {
  const [[kind, name]] = Object.entries(client);
  return `${kind}:${name}`;
}

/** The client of such a name; undefined for that of another program. */
export function clientNamed(name: string): Client | undefined {
  const match = /^(task|function|proxy):(.+)$/.exec(name);
  return match ? ({ [match[1]]: match[2] } as unknown as Client) : undefined;
}

/** The clients that have connected, by the log of a PostgreSQL. */
export function clientsIn(log: string): Client[] {
  const names = [...log.matchAll(/ connection authorized: .*?\bapplication_name=(\S+)/g)].map(([, name]) => name);
  return [...new Set(names)].flatMap((name) => clientNamed(name) ?? []);
}
