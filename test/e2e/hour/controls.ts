// Parts that Superset's pages have in common.
import { Locator, Page, Response } from 'playwright-core';
import { settled } from './requests';

const ATTEMPTS = 3;
export const OPENS_WITHIN_MS = 5_000;

/** Does it again where it fails: a page that has its data only now makes its boxes and menus anew, and what was open is gone. */
export async function repeat(action: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** Chooses an option of a list that opens below its box. */
export async function choose(box: Locator, option: string): Promise<void> {
  const page = box.page();
  await repeat(async () => {
    await settled(page);
    // The value that is chosen lies over the box.
    await box.click({ force: true, timeout: OPENS_WITHIN_MS });
    await page.keyboard.press('Control+A');
    await page.keyboard.type(option);
    await (await optionOf(box, option)).click({ timeout: OPENS_WITHIN_MS });
  });
}

/** The option in the list of this box: those of others may still be closing. */
async function optionOf(box: Locator, option: string): Promise<Locator> {
  const page = box.page();
  const list = page.locator(`[id="${await box.getAttribute('aria-controls')}"]`);
  return page
    .locator('.ant-select-dropdown')
    .filter({ has: list })
    .locator('.ant-select-item-option')
    .filter({ hasText: option })
    .first();
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
    await item.waitFor();
    if (path.length === 1) {
      await item.click();
    } else {
      // Moved as people move it, the pointer leaves a menu that lies at the edge of the window, and what it opened closes.
      await item.dispatchEvent(index < path.length - 1 ? 'mouseover' : 'click');
    }
  }
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
