import { Locator, Page } from 'playwright-core';
import { answerTo, chooseOf, downloadedBy, tabOpenedBy, writeSql } from './controls';
import { settled } from './requests';

const QUERIES = [
  'SELECT count(*) AS number_of_orders FROM analytics.orders',
  'WITH totals AS (SELECT product, sum(amount) AS total FROM analytics.orders GROUP BY product) SELECT product, total, rank() OVER (ORDER BY total DESC) AS place FROM totals',
  "SELECT date_trunc('month', ordered_at) AS month, count(*) FILTER (WHERE quantity > 1) AS larger FROM analytics.orders GROUP BY 1 ORDER BY 1",
];

/** Runs queries, looks at tables, saves a query, opens it again, and makes a dataset of a result: the page that explores it. */
export class SqlLab {
  private readonly editor: Locator;
  private readonly results: Locator;

  constructor(
    private readonly page: Page,
    private readonly url: string,
  ) {
    this.editor = page.locator('.ace_editor').first();
    this.results = page.locator('[data-test="south-pane"]');
  }

  public async open(): Promise<void> {
    await this.page.goto(`${this.url}/sqllab/`);
    const newTab = this.page.getByText('Add a new tab', { exact: true });
    await this.editor.or(newTab).first().waitFor();
    if (await newTab.isVisible()) {
      await newTab.click();
    }
    await this.editor.waitFor();
  }

  public async lookAtTables(): Promise<void> {
    const tree = this.page.getByRole('tree');
    await tree.getByText('analytics', { exact: true }).click();
    const orders = tree.getByRole('treeitem', { name: /table orders/ });
    await orders.click();
    await tree.getByText('ordered_at').waitFor();
    await orders.hover();
    await orders.getByRole('button', { name: 'pushpin' }).click();
    await answerTo(this.page, 'POST /api/v1/sqllab/execute/', () =>
      this.results.getByRole('tab', { name: 'Data preview' }).click(),
    );
    await this.results.getByText('customer 1', { exact: true }).waitFor();
  }

  public async run(sql: string): Promise<void> {
    await writeSql(this.editor, sql);
    await answerTo(this.page, 'POST /api/v1/sqllab/execute/', () =>
      this.page.locator('[data-test="run-query-action"]').first().click(),
    );
    await this.results.getByRole('link', { name: 'Download to CSV' }).waitFor();
  }

  public async runSeveral(): Promise<void> {
    for (const sql of QUERIES) {
      await this.run(sql);
    }
  }

  public async complete(): Promise<void> {
    await writeSql(this.editor, 'SELECT * FROM analytics.ord');
    await this.page.keyboard.press('Control+Space');
    await this.page.locator('.ace_autocomplete').getByText('orders').first().waitFor();
    await this.page.keyboard.press('Escape');
  }

  public async format(): Promise<void> {
    await this.page.getByRole('button', { name: 'more', exact: true }).first().click();
    await answerTo(this.page, 'POST /api/v1/sqllab/format_sql/', () => chooseOf(this.page, 'Format SQL'));
  }

  public async downloadCsv(): Promise<string> {
    return downloadedBy(this.page, async () => {
      await this.results.getByRole('link', { name: 'Download to CSV' }).click();
      // It says that the limit of rows holds for the file, too.
      await this.page.getByRole('dialog').getByRole('button', { name: 'OK' }).click();
    });
  }

  public async save(name: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Save', exact: true }).first().click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByRole('textbox').first().fill(name);
    await answerTo(this.page, 'POST /api/v1/saved_query/', () =>
      dialog.getByRole('button', { name: 'Save', exact: true }).click(),
    );
    await dialog.waitFor({ state: 'hidden' });
  }

  public async openSaved(name: string): Promise<void> {
    await this.page.goto(`${this.url}/savedqueryview/list/`);
    await this.page.getByRole('link', { name }).first().click();
    await this.editor.waitFor();
    await settled(this.page);
  }

  public async seeHistory(): Promise<void> {
    await this.results.getByRole('tab', { name: 'Query history' }).click();
    await this.results.getByText('analytics').first().waitFor();
    await this.page.goto(`${this.url}/sqllab/history/`);
    await this.page.getByRole('row').nth(1).waitFor();
    await settled(this.page);
  }

  /** Opens the page that makes a chart of the last result, without a dataset. */
  public async createChart(): Promise<void> {
    await this.results.getByRole('button', { name: 'Create chart' }).click();
    await this.page.waitForURL(/\/explore\//);
    await settled(this.page);
  }

  public async saveAsDataset(name: string): Promise<Page> {
    await this.page.getByRole('button', { name: 'Save dataset', exact: true }).click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Dataset name' }).fill(name);
    return tabOpenedBy(this.page, () => dialog.getByRole('button', { name: 'Save & Explore' }).click());
  }
}
