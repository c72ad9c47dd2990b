import { Locator, Page } from 'playwright-core';
import { OPENS_WITHIN_MS, answerTo, choose, chooseOf, downloadedBy, repeat } from './controls';
import { settled } from './requests';

/** One dashboard, seen and changed. */
export class Dashboard {
  private readonly filterBar: Locator;
  private readonly dialog: Locator;

  constructor(
    private readonly page: Page,
    private readonly url: string,
  ) {
    this.filterBar = page.locator('[data-test="filter-bar"]');
    this.dialog = page.getByRole('dialog');
  }

  public async open(title: string): Promise<void> {
    await this.page.goto(`${this.url}/dashboard/list/`);
    await settled(this.page);
    await this.page.getByRole('link', { name: title }).first().click();
    await this.ready();
  }

  public async ready(): Promise<void> {
    await this.page.waitForURL(/\/superset\/dashboard\//);
    await this.page.locator('[data-test="slice-header"]').first().waitFor();
    await settled(this.page);
  }

  /** Changes the slug, and gives the dashboard to the tenant's viewers. */
  public async changeProperties(slug: string, role: string): Promise<void> {
    await this.edit();
    await this.menu('Edit properties');
    await this.dialog.getByRole('textbox', { name: 'A readable URL for your dashboard' }).fill(slug);
    await this.dialog.getByRole('tab', { name: /Access & ownership/ }).click();
    await this.dialog.getByRole('combobox', { name: /owners/i }).click();
    await settled(this.page);
    await this.page.keyboard.press('Escape');
    await choose(this.dialog.getByRole('combobox', { name: /roles/i }), role);
    await this.dialog.getByRole('tab', { name: /Styling/ }).click();
    await settled(this.page);
    await this.dialog.getByRole('button', { name: 'Apply' }).click();
    await this.dialog.waitFor({ state: 'hidden' });
    await this.save();
  }

  public async publish(): Promise<void> {
    await answerTo(this.page, 'PUT /api/v1/dashboard/', () => this.page.getByRole('button', { name: 'Draft' }).click());
  }

  /** Adds a filter of a column's values, and one of time. */
  public async addFilters(column: string): Promise<void> {
    const closed = this.filterBar.locator('[data-test="filter-bar__expand-button"]');
    if (await closed.isVisible()) {
      await closed.click();
    }
    await this.filterBar.getByRole('button', { name: 'setting' }).click();
    await chooseOf(this.page, 'Add or edit filters');
    await this.dialog.getByRole('textbox', { name: 'Filter name' }).fill('By value');
    await choose(this.dialog.getByRole('combobox', { name: 'Column select' }), column);
    await this.dialog.getByRole('button', { name: 'New' }).click();
    await chooseOf(this.page, 'Add filter');
    await this.dialog.getByRole('textbox', { name: 'Filter name' }).last().fill('By time');
    await choose(this.dialog.getByRole('combobox', { name: 'Filter type' }).last(), 'Time range');
    await answerTo(this.page, 'PUT /api/v1/dashboard/', () =>
      this.dialog.getByRole('button', { name: 'Save', exact: true }).click(),
    );
    await this.dialog.waitFor({ state: 'hidden' });
    await settled(this.page);
  }

  public async filterByValue(value: string): Promise<void> {
    await choose(this.filterBar.getByRole('combobox').first(), value);
    await this.page.keyboard.press('Escape');
    await this.applyFilters();
  }

  public async filterByTime(): Promise<void> {
    const popover = this.page.locator('.ant-popover:not(.ant-popover-hidden)').last();
    await repeat(async () => {
      if (!(await popover.isVisible())) {
        await this.filterBar.getByText('No filter').click();
      }
      await choose(popover.getByRole('combobox').first(), 'Last');
      await popover.getByText('Last year', { exact: true }).click();
    });
    await popover.getByRole('button', { name: 'Apply' }).click();
    await popover.waitFor({ state: 'hidden' });
    const apply = this.filterBar.getByRole('button', { name: 'Apply filters' });
    if (await apply.isEnabled()) {
      await this.applyFilters();
    }
    await settled(this.page);
  }

  public async drillToDetail(chart: string): Promise<void> {
    await this.chartMenu(chart, 'Drill to detail');
    await this.closeDetail();
  }

  /** Filters all other charts by the value of a cell of a chart, and takes the filter away. */
  public async crossFilter(chart: string, value: string): Promise<void> {
    await answerTo(this.page, 'POST /api/v1/chart/data', () => this.cell(chart, value).click());
    await this.filterBar.getByText('Cross-filters', { exact: true }).waitFor();
    await settled(this.page);
    await answerTo(this.page, 'POST /api/v1/chart/data', () => this.cell(chart, value).click());
    await this.filterBar.getByText('Cross-filters', { exact: true }).waitFor({ state: 'hidden' });
    await settled(this.page);
  }

  /** Looks at the rows that have the value of a cell. */
  public async drillToDetailBy(chart: string, value: string): Promise<void> {
    await this.cell(chart, value).click({ button: 'right' });
    await chooseOf(this.page, 'Drill to detail by', `Drill to detail by ${value}`);
    await this.closeDetail();
  }

  /** Divides the value of a cell by another column. */
  public async drillBy(chart: string, value: string, column: string): Promise<void> {
    const columns = this.page.locator('[data-test="drill-by-submenu"]');
    await repeat(async () => {
      await settled(this.page);
      await this.cell(chart, value).click({ button: 'right' });
      // What opens the list is within the item, which a pointer finds in motion.
      await this.page
        .getByRole('menuitem', { name: 'Drill by' })
        .last()
        .getByText('Drill by')
        .dispatchEvent('mouseover');
      await columns.waitFor({ timeout: OPENS_WITHIN_MS });
    });
    await answerTo(this.page, 'POST /api/v1/chart/data', () =>
      columns.getByRole('menuitem', { name: column }).dispatchEvent('click'),
    );
    await this.dialog.getByRole('columnheader', { name: column }).first().waitFor();
    await this.closeDialog();
  }

  /** Downloads pictures of the dashboard, which the page makes: a PDF, and a JPEG. */
  public async downloadPictures(): Promise<void> {
    expect(await downloadedBy(this.page, () => this.menu('Download', 'Export to PDF'))).toMatch(/^%PDF/);
    expect(await downloadedBy(this.page, () => this.menu('Download', 'Download as Image'))).toContain('JFIF');
  }

  public async downloadCsv(chart: string): Promise<string> {
    return downloadedBy(this.page, () => this.chartMenu(chart, 'Download', 'Export to .CSV'));
  }

  public async refresh(): Promise<void> {
    await answerTo(this.page, 'POST /api/v1/chart/data', () =>
      this.page.getByRole('button', { name: 'Refresh dashboard' }).click(),
    );
    await settled(this.page);
  }

  public async fullScreen(): Promise<void> {
    await this.menu('Enter fullscreen');
    await this.page.waitForURL(/standalone=1/);
    await settled(this.page);
    await this.menu('Exit fullscreen');
    await this.page.waitForURL((there) => !there.search.includes('standalone=1'));
    await settled(this.page);
  }

  public async favourite(): Promise<void> {
    await answerTo(this.page, 'POST /api/v1/dashboard/', () =>
      this.page.getByRole('button', { name: 'unstarred' }).first().click(),
    );
  }

  /** The address that shows the dashboard as it is filtered. */
  public async permalink(): Promise<string> {
    const answer = await answerTo(this.page, 'POST /api/v1/dashboard/', () =>
      this.menu('Share', 'Copy permalink to clipboard'),
    );
    return ((await answer.json()) as { url: string }).url;
  }

  private async edit(): Promise<void> {
    await this.page.getByRole('button', { name: 'Edit dashboard' }).click();
    await this.page.getByRole('button', { name: 'Discard' }).waitFor();
  }

  private async save(): Promise<void> {
    await answerTo(this.page, 'PUT /api/v1/dashboard/', () =>
      this.page.getByRole('button', { name: 'Save', exact: true }).click(),
    );
    await this.page.getByRole('button', { name: 'Edit dashboard' }).waitFor();
    await settled(this.page);
  }

  private async applyFilters(): Promise<void> {
    await answerTo(this.page, 'POST /api/v1/chart/data', () =>
      this.filterBar.getByRole('button', { name: 'Apply filters' }).click(),
    );
    await settled(this.page);
  }

  private async menu(...path: string[]): Promise<void> {
    await this.page.getByRole('button', { name: 'Menu actions trigger' }).click();
    await chooseOf(this.page, ...path);
  }

  private async closeDetail(): Promise<void> {
    await this.dialog.getByText(/^\d+ rows$/).waitFor();
    await this.closeDialog();
  }

  private async closeDialog(): Promise<void> {
    await settled(this.page);
    await this.dialog.getByRole('button', { name: 'Close' }).last().click();
    await this.dialog.waitFor({ state: 'hidden' });
  }

  private cell(chart: string, value: string): Locator {
    return this.page
      .locator('[data-test="chart-grid-component"]')
      .filter({ hasText: chart })
      .getByRole('cell')
      .filter({ hasText: new RegExp(`^${value}$`) });
  }

  private async chartMenu(chart: string, ...path: string[]): Promise<void> {
    const header = this.page.locator('[data-test="slice-header"]').filter({ hasText: chart }).first();
    await header.getByRole('button', { name: 'More Options' }).click();
    await chooseOf(this.page, ...path);
  }
}
