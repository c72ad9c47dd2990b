import { Locator, Page } from 'playwright-core';
import { answerTo, choose, chooseOf, downloadedBy, writeSql } from './controls';
import { settled } from './requests';

/** The page that makes one chart. */
export class Explore {
  constructor(private readonly page: Page) {}

  public async ready(): Promise<void> {
    await this.page.waitForURL(/\/explore\//);
    await this.page.locator('[data-test="run-query-button"], [data-test="query-save-button"]').first().waitFor();
    await settled(this.page);
  }

  /** Changes what kind of chart it is. */
  public async kind(name: string): Promise<void> {
    await this.page.getByText('View all charts').click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByRole('tab', { name: 'All charts' }).click();
    await dialog.getByPlaceholder('Search all charts').fill(name);
    await dialog.getByRole('button', { name: `${name} ${name}`, exact: true }).click();
    await dialog.getByRole('button', { name: 'Select', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    await settled(this.page);
  }

  public async mode(name: 'Aggregate' | 'Raw records'): Promise<void> {
    await this.control('query_mode').getByText(name, { exact: true }).click();
  }

  public async addColumn(control: string, column: string): Promise<void> {
    const popover = await this.open(control);
    await popover.getByRole('tab', { name: 'Simple' }).click();
    await choose(popover.getByRole('combobox').first(), column);
    await this.close(popover);
  }

  public async addSavedMetric(control: string, metric: string): Promise<void> {
    const popover = await this.open(control);
    await popover.getByRole('tab', { name: 'Saved' }).click();
    await choose(popover.getByRole('combobox').first(), metric);
    await this.close(popover);
  }

  public async addMetric(control: string, column: string, aggregate: string): Promise<void> {
    const popover = await this.open(control);
    await popover.getByRole('tab', { name: 'Simple' }).click();
    await choose(popover.getByRole('combobox').nth(0), column);
    await choose(popover.getByRole('combobox').nth(1), aggregate);
    await this.close(popover);
  }

  public async addMetricBySql(control: string, sql: string): Promise<void> {
    const popover = await this.open(control);
    await popover.getByRole('tab', { name: 'Custom SQL' }).click();
    await writeSql(popover.locator('.ace_editor'), sql);
    await this.close(popover);
  }

  public async addFilter(column: string, value: string): Promise<void> {
    const popover = await this.open('adhoc_filters');
    await popover.getByRole('tab', { name: 'Simple' }).click();
    await choose(popover.getByRole('combobox').nth(0), column);
    await choose(popover.getByRole('combobox', { name: 'Comparator option' }), value);
    await this.close(popover);
  }

  public async addFilterBySql(sql: string): Promise<void> {
    const popover = await this.open('adhoc_filters');
    await popover.getByRole('tab', { name: 'Custom SQL' }).click();
    await writeSql(popover.locator('.ace_editor'), sql);
    await this.close(popover);
  }

  /** Asks for the data. */
  public async draw(): Promise<void> {
    await answerTo(this.page, 'POST /api/v1/chart/data', () =>
      this.page.locator('[data-test="run-query-button"]').click(),
    );
    await this.page
      .locator('[data-test="chart-container"]')
      .getByRole('status', { name: 'Loading' })
      .waitFor({ state: 'hidden' });
    await settled(this.page);
  }

  public async seeRows(): Promise<void> {
    for (const tab of ['Results', 'Samples']) {
      await this.page.getByRole('tab', { name: tab, exact: true }).click();
      await this.page.getByRole('tabpanel', { name: tab }).getByRole('row').nth(1).waitFor();
    }
    await this.page.getByRole('button', { name: 'Collapse data panel' }).click();
  }

  public async seeQuery(): Promise<string> {
    await this.menu('View query');
    const dialog = this.page.getByRole('dialog');
    const sql = await dialog.locator('code').first().innerText();
    await dialog.getByRole('button', { name: 'Close' }).first().click();
    await dialog.waitFor({ state: 'hidden' });
    return sql;
  }

  public async downloadCsv(): Promise<string> {
    return downloadedBy(this.page, async () => {
      await this.menu('Data Export Options', 'Export All Data', 'Export to .CSV');
    });
  }

  /** Copies the address of the chart as it is. */
  public async share(): Promise<void> {
    await answerTo(this.page, 'POST /api/v1/explore/permalink', () =>
      this.menu('Share', 'Copy permalink to clipboard'),
    );
  }

  /** Saves a new chart, and puts it on a dashboard, which is made when there is none of that name. */
  public async save(name: string, dashboard: string): Promise<void> {
    const dialog = await this.openSave(name);
    await choose(dialog.getByRole('combobox', { name: /dashboard/i }), dashboard);
    await this.confirmSave(dialog);
  }

  /** Saves the chart of a query's result, and a dataset of the query. */
  public async saveWithDataset(name: string, dataset: string): Promise<void> {
    const dialog = await this.openSave(name);
    await dialog.getByRole('textbox', { name: 'Dataset Name' }).fill(dataset);
    await this.confirmSave(dialog);
  }

  private async openSave(name: string): Promise<Locator> {
    await this.page.locator('[data-test="query-save-button"]').click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByRole('radio', { name: 'Save as...' }).check();
    await dialog.locator('[data-test="new-chart-name"]').fill(name);
    return dialog;
  }

  private async confirmSave(dialog: Locator): Promise<void> {
    await answerTo(this.page, 'POST /api/v1/chart/', () =>
      dialog.getByRole('button', { name: 'Save', exact: true }).click(),
    );
    await dialog.waitFor({ state: 'hidden' });
    await settled(this.page);
  }

  private async menu(...path: string[]): Promise<void> {
    await this.page.getByRole('button', { name: 'Menu actions trigger' }).click();
    await chooseOf(this.page, ...path);
  }

  private control(name: string): Locator {
    return this.page.locator(`[data-test="${name}"]`);
  }

  private async open(control: string): Promise<Locator> {
    await this.control(control)
      .getByText(/^Drop .* here or click$/)
      .click();
    const popover = this.page.locator('.ant-popover:not(.ant-popover-hidden)').last();
    await popover.waitFor();
    return popover;
  }

  private async close(popover: Locator): Promise<void> {
    await popover.getByRole('button', { name: 'Save', exact: true }).click();
    await popover.waitFor({ state: 'hidden' });
  }
}
