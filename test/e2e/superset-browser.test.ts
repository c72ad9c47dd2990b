// What a tenant's people see in a browser. Pictures go to .local/screenshots; UPDATE_SCREENSHOTS=1 also renews the README's.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Browser, Page } from 'playwright-core';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { DemoUser } from '../../local/demo-users';
import { CACHE, REPOSITORY } from '../../local/directories';
import { LocalCloud } from '../../local/local-cloud';
import { Login, connect } from '../../local/login';
import { Progress, deployAndProve } from '../../local/steps';
import { stopUnrefused } from './environment-under-test';
import { Visitor, forgetSignedOut, isStillIn, signIn, startChromium } from './browser';
import {
  Hour,
  changePassword,
  lookAround,
  makeCharts,
  readAsViewer,
  workInSqlLab,
  workOnDashboard,
} from './hour/analyst-hour';
import { ExampleTenant, withExampleData } from '../../local/example-environment';

jest.setTimeout(300_000);

const EXAMPLE = join(REPOSITORY, 'examples', 'shared-rls');
const SCREENSHOTS = join(CACHE, 'screenshots');
const environment = withExampleData(EnvironmentFile.load(join(EXAMPLE, 'environments', 'demo.yaml')));

/** All that may be refused in these runs. A dashboard's colours are its owner's to keep; Superset's page tries for everybody, and shows nothing of the answer. */
const NOT_THE_OWNER = [/^403 PUT .*\/api\/v1\/dashboard\/\d+\/colors/, /^Response$/];

let cloud: LocalCloud;
let progress: Progress;
let browser: Browser;
const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await startChromium();
  cloud = LocalCloud.for(environment, 'Superset-demo');
  progress = await deployAndProve(EXAMPLE, 'demo', { environment, cloud });
}, 400_000);

afterAll(async () => {
  await browser?.close();
  if (cloud) await stopUnrefused(cloud, { example: environment.model });
  log.mockRestore();
});

const [northwind, contoso] = environment.tenants;

function userOf({ id }: ExampleTenant, role: DemoUser['role']): DemoUser {
  return progress.users.find((user) => user.tenant === id && user.role === role)!;
}

function visit(tenant: ExampleTenant, role: DemoUser['role']): Promise<Visitor> {
  const { username, password } = userOf(tenant, role);
  return signIn(browser, cloud.superset.url, username, password);
}

/** The number of a tenant's orders, as the operator's ETL counts them. */
async function orders({ value }: ExampleTenant): Promise<number> {
  const client = await connect(progress.loaders.values().next().value as Login);
  try {
    const { rows } = await client.query('SELECT count(*)::int AS n FROM analytics.orders WHERE tenant_id = $1', [
      value,
    ]);
    return rows[0].n as number;
  } finally {
    await client.end();
  }
}

async function openDashboard({ page }: Visitor, { id }: ExampleTenant): Promise<void> {
  await page.goto(`${cloud.superset.url}/superset/dashboard/orders-${id}/`);
  await page.locator('.header-line').nth(2).waitFor();
  await page.waitForLoadState('networkidle');
}

const bigNumbers = (page: Page) => page.locator('.header-line').allInnerTexts();
const unexpected = ({ faults }: Visitor) => faults.filter((fault) => !NOT_THE_OWNER.some((known) => known.test(fault)));

async function photograph(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' });
}

describe.each([
  [northwind.displayName, northwind, contoso],
  [contoso.displayName, contoso, northwind],
])('%s', (_, tenant, other) => {
  let own: string;

  beforeAll(async () => {
    own = (await orders(tenant)).toLocaleString('en');
    expect(own).not.toBe((await orders(other)).toLocaleString('en'));
  });

  test.each(['analyst', 'viewer'] as const)('its %s finds the dashboard with its own numbers', async (role) => {
    const visitor = await visit(tenant, role);
    await openDashboard(visitor, tenant);
    expect((await bigNumbers(visitor.page))[1]).toBe(own);
    await photograph(visitor.page, `dashboard-${tenant.id}-${role}`);
    if (process.env.UPDATE_SCREENSHOTS && role === 'analyst' && tenant === northwind) {
      await visitor.page.screenshot({
        path: join(REPOSITORY, 'docs', 'images', 'dashboard.png'),
        animations: 'disabled',
      });
    }
    expect(unexpected(visitor)).toEqual([]);
    expect(await visitor.page.content()).not.toContain(other.displayName);
  });

  test('its analyst opens a chart of the dashboard, and looks at the rows behind it', async () => {
    const visitor = await visit(tenant, 'analyst');
    const { page } = visitor;
    await openDashboard(visitor, tenant);
    const menu = page
      .locator('[data-test="slice-header"]')
      .filter({ hasText: 'Orders' })
      .first()
      .getByRole('button')
      .first();
    await menu.click();
    await page.getByRole('menuitem', { name: 'Drill to detail' }).first().click();
    await page.getByText(tenant.value).first().waitFor();
    expect(await page.content()).not.toContain(other.value);
    await openDashboard(visitor, tenant);
    await menu.click();
    await page.getByRole('menuitem', { name: 'Edit chart' }).click();
    await page.waitForURL(/\/explore\//);
    await page.locator('.header-line').waitFor();
    expect(await bigNumbers(page)).toEqual([own]);
    await photograph(page, `explore-${tenant.id}`);
    expect(unexpected(visitor)).toEqual([]);
  });

  test('its analyst counts in SQL Lab', async () => {
    const visitor = await visit(tenant, 'analyst');
    const { page } = visitor;
    await page.goto(`${cloud.superset.url}/sqllab/`);
    await page.getByText('Add a new tab', { exact: true }).click();
    await page.locator('.ace_editor').first().click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('SELECT count(*) AS n, min(tenant_id::text) AS t FROM analytics.orders');
    await page.getByRole('button', { name: /Run/ }).first().click();
    await page.getByText(tenant.value).first().waitFor();
    expect(await page.content()).toContain(`>${own.replace(',', '')}<`);
    expect(await page.content()).not.toContain(`tenant_${other.id}`);
    await photograph(page, `sql-lab-${tenant.id}`);
    expect(unexpected(visitor)).toEqual([]);
  });

  test('its analyst gets nothing by the address of a dashboard of the other', async () => {
    const { page } = await visit(tenant, 'analyst');
    const url = `${cloud.superset.url}/superset/dashboard/orders-${other.id}/`;
    await page.goto(url);
    await page.waitForLoadState('networkidle');
    expect(await bigNumbers(page)).toEqual([]);
    expect(await page.content()).not.toContain(other.displayName);
  });
});

describe("an analyst's hour", () => {
  const asked = new Set<string>();
  let hour: Hour;
  let analyst: Visitor;
  let viewer: Visitor;
  let explore: Page;

  beforeAll(async () => {
    hour = { url: cloud.superset.url, name: 'hour' };
    analyst = await visit(northwind, 'analyst');
    viewer = await visit(northwind, 'viewer');
  });

  afterEach(() => {
    const faults = [...unexpected(analyst), ...unexpected(viewer)];
    analyst.faults.length = viewer.faults.length = 0;
    expect(faults).toEqual([]);
  });

  afterAll(() => {
    [...analyst.asked, ...viewer.asked].forEach((route) => asked.add(route));
    writeFileSync(join(CACHE, 'asked-by-the-browser.txt'), `${[...asked].sort().join('\n')}\n`);
  });

  test('queries in SQL Lab, saved, opened again and downloaded, and a chart of a result', async () => {
    explore = await workInSqlLab(analyst.page, hour);
  });

  test('charts of several kinds', async () => {
    await makeCharts(explore, hour);
    await photograph(explore, 'hour-explore');
  });

  test('a dashboard with filters, drilled into and shared', async () => {
    await workOnDashboard(analyst.page, hour);
    await photograph(analyst.page, 'hour-dashboard');
  });

  test('lists, own pages and a dataset', () => lookAround(analyst.page, hour));

  test("a viewer's quarter of an hour", async () => {
    await readAsViewer(viewer.page, hour);
    await photograph(viewer.page, 'hour-viewer');
  });

  test('a new password, which ends the sign-ins of before', async () => {
    const { username, password } = userOf(northwind, 'analyst');
    const elsewhere = await visit(northwind, 'analyst');
    const next = 'quiet rivers carry boats';
    await changePassword(analyst.page, hour, password, next);
    await analyst.page.close();
    expect(await isStillIn(elsewhere, hour.url)).toBe(false);
    expect(await isStillIn(await signIn(browser, hour.url, username, next), hour.url)).toBe(true);
    // What the page that asked for it reported of itself until it was closed.
    forgetSignedOut(analyst.faults);
  });

  test('a refusal is found', async () => {
    await viewer.page.goto(`${hour.url}/sqllab/`);
    expect(unexpected(viewer)).toEqual([expect.stringMatching(/^403 GET .*\/sqllab\/$/)]);
    viewer.faults.length = 0;
  });
});
