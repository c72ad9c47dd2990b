import { mkdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from 'playwright-core';
import { synthetic } from '../../bin/fleet/probe';
import { Environment } from '../../lib/environment/environment';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { imageUri } from '../../lib/superset/brand-rules';
import { deploy } from '../../local/deployment';
import { CACHE, REPOSITORY } from '../../local/directories';
import { withExampleData } from '../../local/example-environment';
import { onLoopback } from '../../local/load-balancer';
import { LocalCloud } from '../../local/local-cloud';
import { Progress, deployAndProve } from '../../local/steps';
import { Superset, answerOf } from '../../local/superset';
import { rowsOf } from '../../local/superset-queries';
import { SupersetSession } from '../../local/superset-session';
import { signIn, startChromium } from './browser';
import { stopUnrefused } from './environment-under-test';
import { synthesiseFleet } from './stack-under-test';

// The example with a Superset for each tenant, deployed and proved once; then one of them is hurt and upgraded while the other is asked.

jest.setTimeout(600_000);

const EXAMPLE = join(REPOSITORY, 'examples', 'instance-per-tenant');
const SCREENSHOTS = join(CACHE, 'screenshots');
const environment = withExampleData(EnvironmentFile.load(join(EXAMPLE, 'environments', 'demo.yaml')));
const [hurt, calm] = ['tk4q9w', 'tz81mm'];

const cloud = LocalCloud.for(environment, 'Superset-demo');
const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
let progress: Progress;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await startChromium();
  progress = await deployAndProve(EXAMPLE, 'demo', { environment, cloud });
});

afterAll(async () => {
  await browser?.close();
  log.mockRestore();
  await stopUnrefused(cloud);
});

const ordersOf = (tenant: string) => progress.proofs.find((proof) => proof.tenant.id === tenant)!.counted.orders;
const analystOf = (tenant: string) =>
  progress.users.find(({ tenant: id, role }) => id === tenant && role === 'analyst')!;
const sessionOf = (tenant: string) => SupersetSession.signIn(cloud.supersetOf(tenant), analystOf(tenant));

/** What a page has of an element. */
interface Shown {
  readonly naturalWidth: number;
  readonly ownerDocument: {
    readonly defaultView: { getComputedStyle(element: Shown, pseudo?: string): Record<string, string> };
  };
}

/** A colour as a browser writes it. */
function rgb(color: string): string {
  return `rgb(${[1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16)).join(', ')})`;
}

async function ordersChart(session: SupersetSession): Promise<number> {
  const answer = await session.get('/api/v1/chart/?q=(page_size:100)');
  const { result } = answer.json<{ result: { id: number; slice_name: string }[] }>();
  return result.find(({ slice_name: name }) => name === 'Orders')!.id;
}

/** Asks for the orders of a tenant again and again while something happens to another; answers what was not right. */
async function whileAsking(tenant: string, happening: () => Promise<unknown>) {
  const session = await sessionOf(tenant);
  const chart = await ordersChart(session);
  const seen = { right: 0, wrong: [] as string[] };
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      const answer = await session.get(`/api/v1/chart/${chart}/data/?force=true`);
      const rows = answer.status === 200 ? rowsOf(answer) : String(answer);
      if (rows === String(ordersOf(tenant))) seen.right++;
      else seen.wrong.push(rows);
      await pause(100);
    }
  })();
  await happening().finally(() => (stopped = true));
  await asking;
  session.close();
  return seen;
}

test('each tenant reads its own rows by its own Superset, and nothing that opens one opens the other', () => {
  const { proofs, supersetProofs, instanceProofs } = progress;

  expect([...proofs, ...supersetProofs, ...instanceProofs].flatMap(({ failures }) => failures)).toEqual([]);
  expect(instanceProofs.map(({ attempts }) => attempts.length)).toEqual([13, 13]);
  expect(supersetProofs.map(({ attempts }) => attempts.length)).toEqual([45, 15, 11, 45, 15, 11]);
});

test('the load balancer of a cell answers for the host names of its rules only, and one of its own hands on to its Superset', async () => {
  const [own, inCell] = [hurt, calm].map((tenant) => cloud.supersetOf(tenant));
  const at = ({ url, caFile }: Superset, hostname: string) =>
    answerOf(Object.assign(new URL('/health', url), { hostname }).href, caFile);

  expect(new URL(own.url).hostname).toBe('analytics.northwind.example.localhost');
  expect(new URL(inCell.url).hostname).toBe('tz81mm.superset.example.com.localhost');
  expect(await at(inCell, new URL(inCell.url).hostname)).toBe('200');
  expect(await at(inCell, new URL(own.url).hostname)).toBe('404');
  expect(await at(inCell, 'localhost')).toBe('404');
  expect(await at(own, new URL(own.url).hostname)).toBe('200');
});

test('a browser that is signed in at one Superset is asked who it is at the other', async () => {
  const { username, password } = analystOf(hurt);
  const { page } = await signIn(browser, cloud.supersetOf(hurt).url, username, password);

  await page.goto(`${cloud.supersetOf(calm).url}/dashboard/list/`);
  expect(new URL(page.url()).pathname).toBe('/login/');
  await page.goto(`${cloud.supersetOf(hurt).url}/dashboard/list/`);
  expect(new URL(page.url()).pathname).toBe('/dashboard/list/');
  await page.context().close();
});

test.each([hurt, calm])('the administrator of %s signs in with the login of its secret', async (tenant) => {
  const login = await progress.account.databaseSecret(`superset/tenant/${tenant}/admin_login`);

  const session = await SupersetSession.signIn(cloud.supersetOf(tenant), login!);

  expect((await session.get('/api/v1/me/')).status).toBe(200);
  session.close();
});

test.each([hurt, calm])(
  'whoever comes to %s sees its name, icon, colour and text before signing in',
  async (tenant) => {
    const { brand } = environment.tenants.find(({ id }) => id === tenant)!.instance!;
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    page.setDefaultTimeout(90_000);
    await page.goto(`${cloud.supersetOf(tenant).url}/login/`);
    const button = page.getByRole('button', { name: 'Sign in' });
    await button.waitFor();

    expect(await page.title()).toContain(brand!.name);
    expect(await page.locator('link[rel="icon"]').first().getAttribute('href')).toBe(imageUri(brand!.favicon!));
    expect(
      await button.evaluate(
        (element: Shown) => element.ownerDocument.defaultView.getComputedStyle(element).backgroundColor,
      ),
    ).toBe(rgb(brand!.primaryColor!));
    const text = await page
      .locator('[data-test="login-form"]')
      .evaluate((element: Shown) => element.ownerDocument.defaultView.getComputedStyle(element, '::after').content);
    expect(text).toBe(brand!.loginText ? JSON.stringify(brand!.loginText) : 'none');
    await page.screenshot({ path: join(SCREENSHOTS, `instance-${tenant}-login.png`), animations: 'disabled' });
    await context.close();
  },
);

test.each([hurt, calm])('people of %s see a Superset of their own', async (tenant) => {
  const { username, password } = analystOf(tenant);
  const { page, faults } = await signIn(browser, cloud.supersetOf(tenant).url, username, password);
  await page.goto(`${cloud.supersetOf(tenant).url}/superset/dashboard/orders-${tenant}/`);
  await page.locator('.header-line').nth(2).waitFor();
  await page.waitForLoadState('networkidle');

  expect((await page.locator('.header-line').allInnerTexts())[1]).toBe(ordersOf(tenant).toLocaleString('en'));
  const { brand } = environment.tenants.find(({ id }) => id === tenant)!.instance!;
  const logo = page.locator(`img[alt="${brand!.name}"]`).first();
  expect(await logo.getAttribute('src')).toBe(imageUri(brand!.logo!));
  expect(await logo.evaluate((image: Shown) => image.naturalWidth)).toBeGreaterThan(100);
  const others = environment.tenants.filter(({ id }) => id !== tenant);
  for (const { displayName, instance } of others) {
    expect(await page.content()).not.toContain(displayName);
    expect(await page.content()).not.toContain(instance!.brand!.name);
  }
  expect(faults.filter((fault) => /^5|Content Security/.test(fault))).toEqual([]);
  await page.screenshot({ path: join(SCREENSHOTS, `instance-${tenant}.png`), animations: 'disabled' });
  await page.context().close();
});

test('what a rollout asks of an instance is answered: signing in, and a query; where it may not sign in, it says so', async () => {
  const { url, caFile } = cloud.supersetOf(calm);
  const agent = new Agent({ ca: readFileSync(caFile), lookup: onLoopback });
  const secret = (await progress.account.databaseSecret(`superset/tenant/${calm}/admin_login`))!;
  const probed = (password: string, at = url) =>
    synthetic(
      { adminLogin: async () => ({ ...secret, password }) },
      agent,
    )({ url: at, tenant: calm, name: '', region: '' });

  expect(await probed(secret.password)).toEqual({});
  expect(await probed('other')).toEqual({ note: expect.stringContaining('another password') });
  expect(await probed(secret.password, `${url}0`)).toEqual({ fault: expect.any(String) });
});

test('while the web server of one tenant is killed, that of the other answers', async () => {
  const { web } = cloud.supersetOf(hurt).tasks;

  const seen = await whileAsking(calm, async () => {
    await web.kill();
    await cloud.supersetOf(hurt).healthy('/health');
  });

  expect(seen.wrong).toEqual([]);
  expect(seen.right).toBeGreaterThan(10);
  (await sessionOf(hurt)).close();
});

test('while one tenant is upgraded by its own stack, the other answers, and nothing of it is touched', async () => {
  const tasksOf = (tenant: string) => Object.values(cloud.supersetOf(tenant).tasks).map((task) => task.log);
  const before = { hurt: tasksOf(hurt), calm: tasksOf(calm) };
  const upgraded: Environment = { ...environment, superset: { ...environment.superset, connectionsPerProcess: 4 } };
  const assembly = join(cloud.directory, 'upgraded');
  synthesiseFleet(upgraded, 'Superset-demo', assembly);

  const seen = await whileAsking(calm, async () => {
    await deploy(cloud, assembly, `Superset-demo/${hurt}`);
    await cloud.supersetOf(hurt).healthy('/health');
  });

  expect(seen.wrong).toEqual([]);
  expect(seen.right).toBeGreaterThan(50);
  expect(await cloud.supersetOf(hurt).environment()).toMatchObject({ SUPERSET_TENANT_CONNECTIONS: '4' });
  expect(await cloud.supersetOf(calm).environment()).not.toHaveProperty('SUPERSET_TENANT_CONNECTIONS');
  expect(tasksOf(hurt)).not.toEqual(before.hurt);
  expect(tasksOf(calm)).toEqual(before.calm);
  const session = await sessionOf(hurt);
  const answer = await session.get(`/api/v1/chart/${await ordersChart(session)}/data/?force=true`);
  expect(rowsOf(answer)).toBe(String(ordersOf(hurt)));
  session.close();
});
