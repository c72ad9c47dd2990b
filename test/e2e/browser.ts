import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Browser, Page, chromium } from 'playwright-core';
import { routeOf } from './hour/asked-routes';
import { countRequests } from './hour/requests';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Starts the Chromium of this machine without a window; it reaches nothing but this machine. */
export function startChromium(): Promise<Browser> {
  const directories = (process.env.PATH ?? '').split(delimiter);
  const executablePath = directories.flatMap((path) => PROGRAMS.map((name) => join(path, name))).find(existsSync);
  if (!executablePath) {
    throw new Error('Chromium is missing. Install it, on Debian and Ubuntu with: apt-get install chromium');
  }
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost',
    ],
  });
}

/** Somebody who sits at a browser of their own, and what went wrong there. */
export interface Visitor {
  readonly page: Page;
  /** Requests that were refused or failed, policies that were broken, and errors that the page showed. */
  readonly faults: string[];
  /** Methods and paths that the pages requested of Superset. */
  readonly asked: Set<string>;
}

/** What the pages ask for though it is nowhere: telemetry of Superset's makers, which our policy refuses. */
const TELEMETRY = /scarf\.sh/;

/** What is refused to somebody who is not signed in: too many in a second, and what the page reports of itself. */
const SIGNED_OUT = [/^429 /, /^401 POST .*\/superset\/log\//];

/** Leaves out what was refused while nobody was signed in. */
export function forgetSignedOut(faults: string[]): void {
  faults.splice(0, faults.length, ...faults.filter((fault) => !SIGNED_OUT.some((known) => known.test(fault))));
}

/** Opens a window of its own for somebody, who signs in. */
export async function signIn(browser: Browser, url: string, username: string, password: string): Promise<Visitor> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
  });
  countRequests(context);
  const page = await context.newPage();
  // The first page of a new Superset compiles what it sends.
  page.setDefaultTimeout(90_000);
  const faults: string[] = [];
  const asked = new Set<string>();
  // Of all tabs: some of Superset's buttons open another one.
  context.on('request', (request) => {
    if (request.url().startsWith(url)) asked.add(routeOf(request));
  });
  context.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  context.on('console', (message) => {
    const text = message.text();
    if (/Content Security Policy/.test(text) && !TELEMETRY.test(text)) faults.push(text);
  });
  context.on('weberror', (error) => faults.push(error.error().message));
  await page.goto(`${url}/login/`);
  let status: number;
  do {
    await page.locator('#username').fill(username);
    await page.locator('#password').fill(password);
    // The page posts what it logs, too.
    const answer = page.waitForResponse(
      (response) => response.request().method() === 'POST' && isLogin(response.url()),
    );
    await page.locator('#password').press('Enter');
    status = (await answer).status();
    if (status === 429) {
      // So many may sign in a second.
      await page.waitForTimeout(1_000);
      await page.goto(`${url}/login/`);
    }
  } while (status === 429);
  await page.waitForURL((there) => !isLogin(there.href));
  forgetSignedOut(faults);
  return { page, faults, asked };
}

/** Whether somebody who has signed in need not do so again. */
export async function isStillIn({ page }: Visitor, url: string): Promise<boolean> {
  await page.goto(`${url}/user_info/`);
  return !isLogin(page.url());
}

function isLogin(url: string): boolean {
  return new URL(url).pathname.startsWith('/login');
}
