import { Locator, Page } from 'playwright-core';
import { answerTo, writeSql } from './controls';
import { settled } from './requests';

/** Adds a calculated column and a metric to a dataset. */
export async function editDataset(page: Page, url: string, name: string): Promise<void> {
  await page.goto(`${url}/tablemodelview/list/`);
  const row = page.getByRole('row', { name }).first();
  await row.hover();
  await row.getByRole('button', { name: 'edit' }).click();
  const dialog = page.getByRole('dialog');
  await addItem(dialog, /Calculated columns/, 'is_large', "CASE WHEN quantity > 2 THEN 'large' ELSE 'small' END");
  await addItem(dialog, /^Metrics/, 'average_amount', 'avg(amount)');
  for (const tab of [/^Columns/, /^Usage/, /^Settings/]) {
    await dialog.getByRole('tab', { name: tab }).click();
    await settled(page);
  }
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await answerTo(page, 'PUT /api/v1/dataset/', () => page.getByRole('button', { name: 'OK', exact: true }).click());
  await settled(page);
}

async function addItem(dialog: Locator, tab: RegExp, name: string, sql: string): Promise<void> {
  await dialog.getByRole('tab', { name: tab }).click();
  const panel = dialog.getByRole('tabpanel', { name: tab });
  await panel.getByRole('button', { name: /Add item/ }).click();
  // What is new comes first.
  await panel.getByRole('table').last().getByRole('textbox').first().fill(name);
  const editor = panel.locator('.ace_editor').first();
  if (!(await editor.isVisible())) {
    await panel.getByRole('button', { name: 'Expand row' }).first().click();
  }
  await writeSql(editor, sql);
}
