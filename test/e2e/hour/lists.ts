import { Page } from 'playwright-core';
import { settled } from './requests';

const LISTS = ['/dashboard/list/', '/chart/list/', '/tablemodelview/list/', '/savedqueryview/list/'];

/** Opens each list, searches it, sorts it, and looks at the people by whom it may be filtered. */
export async function seeLists(page: Page, url: string, search: string): Promise<void> {
  for (const path of LISTS) {
    await page.goto(`${url}${path}`);
    await settled(page);
    for (const people of await page.getByRole('combobox', { name: /^(Owner|Modified by|Created by)$/ }).all()) {
      await people.click({ force: true });
      await settled(page);
      await page.keyboard.press('Escape');
    }
    await page.getByPlaceholder('Type a value').first().fill(search);
    await page.keyboard.press('Enter');
    await settled(page);
    await page.getByRole('columnheader', { name: 'Name' }).first().click();
    await settled(page);
  }
}

/** Opens the pages that are the user's own. */
export async function seeOwnPages(page: Page, url: string): Promise<void> {
  for (const path of ['/superset/welcome/', '/user_info/', '/chart/add', '/dataset/add/']) {
    await page.goto(`${url}${path}`);
    await settled(page);
  }
}
