// Parts that Superset's pages have in common.
import { Locator, Page, Response } from 'playwright-core';

/** Chooses an option of a list that opens below its box. */
export async function choose(box: Locator, option: string): Promise<void> {
  const page = box.page();
  // The value that is chosen lies over the box.
  await box.click({ force: true });
  await page.keyboard.type(option);
  await page
    .locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option')
    .filter({ hasText: option })
    .first()
    .click();
}

/** Replaces the text of an editor of SQL. */
export async function writeSql(editor: Locator, sql: string): Promise<void> {
  const { keyboard } = editor.page();
  await editor.click();
  await keyboard.press('Control+A');
  await keyboard.press('Delete');
  await keyboard.insertText(sql);
}

/** The answer to what an action makes the page request. */
export async function answerTo(page: Page, request: string, action: () => Promise<unknown>): Promise<Response> {
  const [method, path] = request.split(' ');
  const [response] = await Promise.all([
    page.waitForResponse(
      (candidate) => candidate.request().method() === method && new URL(candidate.url()).pathname.startsWith(path),
    ),
    action(),
  ]);
  return response;
}

/** The page that an action opens in a tab. */
export async function tabOpenedBy(page: Page, action: () => Promise<unknown>): Promise<Page> {
  const [tab] = await Promise.all([page.context().waitForEvent('page'), action()]);
  return tab;
}

/** Chooses an item of the menu that is open; the items before it open menus beside it. */
export async function chooseOf(page: Page, ...path: string[]): Promise<void> {
  for (const [index, name] of path.entries()) {
    const item = page.getByRole('menuitem', { name, exact: false }).last();
    // Moved as people move it, the pointer leaves a menu that lies at the edge of the window.
    await (index < path.length - 1 ? item.dispatchEvent('mouseover') : item.click());
  }
}

/** Waits until the page requests nothing any more. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
}

/** The first lines of the file that an action downloads. */
export async function downloadedBy(page: Page, action: () => Promise<unknown>): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), action()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
