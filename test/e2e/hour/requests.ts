// The requests that a page waits for.
import { BrowserContext, Page, Request } from 'playwright-core';

const QUIET_MS = 500;
const STEP_MS = 100;
const LONGEST_MS = 60_000;

const open = new WeakMap<Page, Set<Request>>();

/** Begins to count the requests of all pages that a window will have. Playwright's "networkidle" holds once for each document. */
export function countRequests(context: BrowserContext): void {
  context.on('page', (page) => {
    const requests = new Set<Request>();
    open.set(page, requests);
    let leaves = false;
    page.on('request', (request) => {
      leaves ||= request.isNavigationRequest();
      requests.add(request);
    });
    page.on('framenavigated', (frame) => {
      if (leaves && frame === page.mainFrame()) {
        // Nothing is heard any more of what the document before has requested.
        requests.clear();
        leaves = false;
      }
    });
    page.on('requestfinished', (request) => requests.delete(request));
    page.on('requestfailed', (request) => requests.delete(request));
  });
}

/** Waits until the page requests nothing any more. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState();
  const deadline = Date.now() + LONGEST_MS;
  for (let quiet = 0; quiet < QUIET_MS; quiet += STEP_MS) {
    await page.waitForTimeout(STEP_MS);
    const waiting = [...(open.get(page) ?? [])];
    if (waiting.length > 0) {
      quiet = 0;
    }
    if (Date.now() > deadline) {
      throw new Error(`The page still waits for ${waiting.map((request) => request.url()).join(', ')}`);
    }
  }
}
