import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { IncomingMessage, Server, createServer } from 'node:http';
import { request } from 'node:https';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { LoadBalancer, startLoadBalancer } from '../../local/load-balancer';
import { freePort } from '../../local/ports';
import { answerOf } from '../../local/superset';

let directory: string;
let loadBalancer: LoadBalancer;
let web: Server;
let target: number | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'load-balancer-'));
  web = createServer(async (incoming, response) => {
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.end(JSON.stringify({ headers: incoming.headers, body: await text(incoming) }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => web.once('listening', resolve));
  loadBalancer = await startLoadBalancer({ directory, port: await freePort('any') }, () => ({ port: target }));
});

beforeEach(() => {
  target = (web.address() as AddressInfo).port;
});

afterAll(async () => {
  await loadBalancer.stop();
  web.close();
  rmSync(directory, { recursive: true });
});

async function post(headers: Record<string, string>): Promise<{ answer: IncomingMessage; body: string }> {
  const ca = readFileSync(loadBalancer.caFile);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(loadBalancer.url, { method: 'POST', ca, headers, agent: false }, resolve).once('error', reject).end('sent');
  });
  return { answer, body: await text(answer) };
}

test('the web server gets the request, and who sent it as the load balancer saw it', async () => {
  const { answer, body } = await post({
    'X-Forwarded-For': '192.0.2.1',
    'X-Forwarded-Proto': 'http',
    'X-Forwarded-Port': '80',
  });
  const { port, host } = new URL(loadBalancer.url);
  expect(JSON.parse(body)).toMatchObject({
    body: 'sent',
    headers: {
      host,
      'x-forwarded-for': '192.0.2.1, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': port,
    },
  });
  expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
});

test('the host name says where a request goes, without what leads it to this machine', async () => {
  const names: string[] = [];
  const byName = await startLoadBalancer(
    {
      directory: mkdtempSync(join(directory, 'by-name-')),
      port: await freePort('any'),
      hostNames: ['one.example.com'],
    },
    (name) => {
      names.push(name);
      return name === 'one.example.com' ? { port: target } : { status: 404 };
    },
  );
  const { port } = byName;

  expect(await answerOf(`https://One.example.com.localhost:${port}/`, byName.caFile)).toBe('200');
  expect(await answerOf(`https://localhost:${port}/`, byName.caFile)).toBe('404');
  expect(await answerOf(`https://two.example.com.localhost:${port}/`, byName.caFile)).toMatch(/altnames/);
  expect(names).toEqual(['one.example.com', 'localhost']);
  await byName.stop();
});

test('without a web server it answers 503, and 502 where one has gone', async () => {
  target = undefined;
  expect((await post({})).answer.statusCode).toBe(503);
  target = await freePort('any');
  expect((await post({})).answer.statusCode).toBe(502);
});
