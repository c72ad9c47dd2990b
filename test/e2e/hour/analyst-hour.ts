// What a tenant's analyst does in an hour, and a viewer in a quarter of one, step by step.
import { Page } from 'playwright-core';
import { settled } from './requests';
import { Dashboard } from './dashboard';
import { editDataset } from './dataset';
import { Explore } from './explore';
import { seeLists, seeOwnPages } from './lists';
import { SqlLab } from './sql-lab';

/** What the steps hand on. */
export interface Hour {
  readonly url: string;
  /** First word in the name of all that is made. */
  readonly name: string;
  /** Address of the dashboard, as it is sent to a colleague. */
  link?: string;
}

/** Runs, formats, saves and downloads queries; the page explores a dataset of the last result. */
export async function workInSqlLab(page: Page, { url, name }: Hour): Promise<Page> {
  const lab = new SqlLab(page, url);
  await lab.open();
  await lab.lookAtTables();
  await lab.runSeveral();
  await lab.complete();
  await lab.run('SELECT * FROM analytics.orders');
  await lab.format();
  expect(await lab.downloadCsv()).toContain('order_id,tenant_id');
  await lab.save(`${name} query`);
  await lab.seeHistory();
  await lab.openSaved(`${name} query`);
  await lab.run('SELECT product, count(*) AS number_of_orders FROM analytics.orders GROUP BY product');
  await lab.createChart();
  await makeChartOfResult(page, name);
  await lab.open();
  await lab.run('SELECT * FROM analytics.orders');
  return lab.saveAsDataset(`${name} orders`);
}

async function makeChartOfResult(page: Page, name: string): Promise<void> {
  const explore = new Explore(page);
  await explore.ready();
  await explore.draw();
  await explore.seeRows();
  expect(await explore.downloadCsv()).toContain('product,number_of_orders');
  await explore.saveWithDataset(`${name} result`, `${name} result`);
}

/** Makes charts of several kinds of the dataset, and saves two of them on a new dashboard. */
export async function makeCharts(page: Page, { name }: Hour): Promise<void> {
  const explore = new Explore(page);
  await explore.ready();
  await explore.mode('Aggregate');
  await explore.addColumn('groupby', 'product');
  await explore.addSavedMetric('metrics', 'COUNT');
  await explore.addMetric('metrics', 'amount', 'SUM');
  await explore.addMetricBySql('metrics', 'avg(amount) / nullif(max(amount), 0)');
  await explore.draw();
  await explore.addFilter('product', 'lamp');
  await explore.addFilterBySql("quantity > 1 OR customer LIKE 'customer 1%'");
  await explore.draw();
  await explore.seeRows();
  expect(await explore.seeQuery()).toContain("IN ('lamp')");
  expect(await explore.downloadCsv()).toContain('lamp');
  await explore.save(`${name} table`, `${name} dashboard`);
  await explore.kind('Line Chart');
  await explore.addColumn('x_axis', 'ordered_at');
  await explore.draw();
  await explore.kind('Bar Chart');
  await explore.draw();
  await explore.save(`${name} bars`, `${name} dashboard`);
  for (const kind of ['Pie Chart', 'Pivot Table', 'Big Number with Trendline', 'Box Plot']) {
    await explore.kind(kind);
    await explore.draw();
  }
  await explore.kind('Histogram');
  await explore.addColumn('column', 'amount');
  await explore.draw();
  await explore.share();
}

/** Filters the dashboard, looks at what is behind a number, and sends it to a colleague. */
export async function workOnDashboard(page: Page, hour: Hour): Promise<void> {
  const { url, name } = hour;
  const dashboard = new Dashboard(page, url);
  await dashboard.open(`${name} dashboard`);
  await dashboard.changeProperties(`slug-${name}`, 'viewer');
  await dashboard.publish();
  await dashboard.addFilters('product');
  await dashboard.filterByValue('lamp');
  await dashboard.filterByTime();
  await dashboard.crossFilter(`${name} table`, 'lamp');
  await dashboard.drillToDetail(`${name} table`);
  await dashboard.drillToDetailBy(`${name} table`, 'lamp');
  await dashboard.drillBy(`${name} table`, 'lamp', 'customer');
  expect(await dashboard.downloadCsv(`${name} table`)).toContain('lamp');
  await dashboard.downloadPictures();
  await dashboard.refresh();
  await dashboard.fullScreen();
  await dashboard.favourite();
  hour.link = await dashboard.permalink();
}

/** Searches the lists, opens the user's own pages, and changes the dataset. */
export async function lookAround(page: Page, { url, name }: Hour): Promise<void> {
  await seeLists(page, url, name);
  await seeOwnPages(page, url);
  await editDataset(page, url, `${name} orders`);
}

/** Opens what a colleague has sent, filters it, and downloads a chart's rows. */
export async function readAsViewer(page: Page, { url, name, link }: Hour): Promise<void> {
  const dashboard = new Dashboard(page, url);
  await page.goto(link!);
  await dashboard.ready();
  await dashboard.open(`${name} dashboard`);
  await dashboard.filterByValue('lamp');
  await dashboard.refresh();
  expect(await dashboard.downloadCsv(`${name} table`)).toContain('lamp');
  await dashboard.permalink();
  await page.goto(`${url}/superset/welcome/`);
  await settled(page);
}

/** Changes the user's own password, beginning at the profile page; the form signs all browsers out. */
export async function changePassword(page: Page, { url }: Hour, present: string, next: string): Promise<void> {
  await page.goto(`${url}/user_info/`);
  await page.getByRole('button', { name: 'Reset my password' }).click();
  await page.locator('#current_password').fill(present);
  await page.locator('#password').fill(next);
  await page.locator('#conf_password').fill(next);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/\/login\//);
}
