import { Container } from '../container';
import { LocalValkey } from '../valkey';
import { ConnectionRecord, applicationName } from './record';

/** Has the connections of tasks be known: PostgreSQL logs a name for each task, and the caches have a port for each. */
export class RecordedTasks {
  constructor(
    private readonly record: ConnectionRecord,
    private readonly valkeys: () => LocalValkey[],
  ) {}

  /** What to start for a task. */
  public async container(task: string, family: string | undefined, container: Container): Promise<Container> {
    this.record.addTask(task, family ?? '');
    const environment = Object.entries(container.environment).map(
      async ([name, value]) => [name, (await this.ownPort(task, value)) ?? value] as const,
    );
    const own = Object.fromEntries(await Promise.all(environment));
    return { ...container, environment: { ...own, PGAPPNAME: applicationName({ task }) } };
  }

  /** Where a task takes connections. */
  public listens(task: string, port: number | undefined): void {
    if (port) this.record.listens(port, { task });
  }

  private async ownPort(task: string, value: string): Promise<string | undefined> {
    const cache = this.valkeys().find(({ port }) => String(port) === value);
    return cache && String(await cache.listenFor(() => this.record.note({ task }, cache.port)));
  }
}
