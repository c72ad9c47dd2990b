import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { CACHE, REPOSITORY } from '../../local/directories';

jest.setTimeout(240_000);

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Starts `npm run local`, without npm. */
function startRun(
  options: string[],
  environment = process.env,
): {
  process: ChildProcess;
  ended: Promise<Ended>;
  printed(text: string): Promise<void>;
} {
  const run = spawn(process.execPath, [join(REPOSITORY, 'local', 'start.mjs'), ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  let output = '';
  const listeners: (() => void)[] = [];
  [run.stdout, run.stderr].forEach((stream) =>
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      listeners.forEach((listener) => listener());
    }),
  );
  const ended = new Promise<Ended>((resolve) => run.once('close', (exitCode) => resolve({ exitCode, output })));
  return {
    process: run,
    ended,
    printed: (text) =>
      Promise.race([
        new Promise<void>((resolve) => listeners.push(() => output.includes(text) && resolve())),
        ended.then(() => Promise.reject(new Error(`ended without "${text}":\n${output}`))),
      ]),
  };
}

/** Ids of all processes below one. */
function descendants(pid: number): number[] {
  const parents = execFileSync('ps', ['-eo', 'pid=,ppid=', '--no-headers'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const children = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function alive(pids: number[]): string[] {
  const processes = execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).trim().split('\n');
  return processes.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[0])) && !/^\s*\d+ Z/.test(line));
}

async function waitUntil(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    expect(Date.now()).toBeLessThan(deadline);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function runDirectories(pid: number): string[] {
  const runs = join(CACHE, 'runs');
  return existsSync(runs) ? readdirSync(runs).filter((run) => run.startsWith(`${pid}-`)) : [];
}

test('--check deploys the example, proves every tenant, through Superset too, shows who may sign in to Superset and ends with 0, leaving nothing', async () => {
  const run = startRun(['--check']);
  const { exitCode, output } = await run.ended;
  expect(output.match(/PROBLEM: .*/g) ?? []).toEqual([]);
  expect(output.match(/│ t\w+ │ \d{4} .*│ all \d\d failed +│/g)).toHaveLength(2);
  expect(output.match(/│ (analyst|viewer|guest) .*│ all \d+ failed +│/g)).toHaveLength(6);
  expect(output).toContain('Only written down by the emulator');
  expect(output).toMatch(/^Traced through security groups[^]*Each is possible\.$/m);
  expect(output).not.toContain('used by none of them');
  expect(output).toMatch(/^Superset: https:\/\/localhost:\d+$/m);
  expect(output.match(/│ (analyst|viewer) +│ \S+ +│ \S{16} +│/g)).toHaveLength(4);
  expect(exitCode).toBe(0);
  expect(runDirectories(run.process.pid as number)).toEqual([]);
});

test('a busy port is one line that says what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const { exitCode, output } = await startRun(['--check', '--postgres-port', String(port)]).ended;
  server.close();
  const message = `Port ${port} is busy. End what listens on it, or give another with --postgres-port.`;
  expect(output.trimEnd().split('\n').at(-1)).toBe(message);
  expect(exitCode).toBe(1);
});

test('a missing Python is one line that says what to do', async () => {
  const { exitCode, output } = await startRun(['--check'], { PATH: '/nonexistent' }).ended;
  const message = 'Python 3.11 or newer is missing. Install it so that python3 or python3.11 is on PATH.';
  expect(output.trimEnd().split('\n').at(-1)).toBe(message);
  expect(exitCode).toBe(1);
});

test('a second Ctrl-C ends everything at once', async () => {
  const run = startRun([]);
  await run.printed('✔ Emulator of AWS');
  const children = descendants(run.process.pid as number);
  run.process.kill('SIGINT');
  await run.printed('press Ctrl-C again');
  run.process.kill('SIGINT');
  expect((await run.ended).exitCode).toBe(130);
  await waitUntil(() => alive(children).length === 0);
});

test('a run that is killed takes its parts along, those of Superset too', async () => {
  const run = startRun([]);
  await run.printed('✔ Superset is healthy');
  const children = descendants(run.process.pid as number);
  expect(
    alive(children).filter((line) => /gunicorn|celery|valkey-server|bin\/postgres/.test(line)).length,
  ).toBeGreaterThan(8);
  run.process.kill('SIGKILL');
  await run.ended;
  await waitUntil(() => alive(children).length === 0);
});

test('Ctrl-C in the middle ends every process that was started', async () => {
  const run = startRun([]);
  await run.printed('✔ Emulator of AWS');
  const children = descendants(run.process.pid as number);
  expect(children.length).toBeGreaterThan(3);
  run.process.kill('SIGINT');
  const { exitCode } = await run.ended;
  expect(exitCode).toBe(130);
  expect(alive(children)).toEqual([]);
  expect(runDirectories(run.process.pid as number)).toEqual([]);
});

test('a part that dies ends the run with one line, and the other parts with it', async () => {
  const run = startRun([]);
  await run.printed('✔ Emulator of AWS');
  const children = descendants(run.process.pid as number);
  const [emulator] = alive(children).filter((line) => line.includes('emulator.py'));
  process.kill(Number(emulator.trim().split(' ')[0]), 'SIGKILL');
  const { exitCode, output } = await run.ended;
  expect(output.trimEnd().split('\n').at(-1)).toBe(
    'The emulator has died (SIGKILL). Start again; nothing was kept of this run.',
  );
  expect(exitCode).toBe(1);
  expect(alive(children)).toEqual([]);
});

test('a service of Superset that dies ends the run with its name and its last lines', async () => {
  const run = startRun([]);
  await run.printed('✔ Superset is healthy');
  const children = descendants(run.process.pid as number);
  const [beat] = alive(children).filter((line) => /python \S+celery .* beat/.test(line));
  process.kill(Number(beat.trim().split(' ')[0]), 'SIGKILL');
  const { exitCode, output } = await run.ended;
  expect(output).toMatch(/^The beat task has died \(SIGKILL\):\n[^]*beat: Starting/m);
  expect(exitCode).toBe(1);
  expect(alive(children)).toEqual([]);
});
