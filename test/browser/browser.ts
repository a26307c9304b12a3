import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { findOrInstallChromium } from '../../src/cli/services/chromium.ts';

/** A headless browser with a profile of its own. */
export interface Browser {
  readonly page: Page;
  /** The address of everything that was requested. */
  readonly requests: readonly string[];
  /** Whatever a developer would see in red or yellow: console errors and warnings, page errors, violations of the policy. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** What a page is seen with. */
export interface BrowserOptions {
  readonly colorScheme?: 'light' | 'dark';
}

const SIZE = { width: 1280, height: 800 };
/** For a machine on which much else runs: how fast a page is, is not what is tested. */
const TIMEOUT_MS = 120_000;
const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // No name resolves, so that a page that needs another host is seen to fail, with or without a network.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/**
 * Starts Chromium.
 *
 * @param options what the page is seen with
 * @returns the browser, on an empty page
 * @throws when there is no Chromium, with what to do
 */
export async function openBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const executablePath = await findOrInstallChromium();
  const profile = mkdtempSync(join(tmpdir(), 'larder-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    timeout: TIMEOUT_MS,
    viewport: SIZE,
    colorScheme: options.colorScheme ?? 'light',
    // Chromium's sandbox does not start as root.
    args: process.getuid?.() === 0 ? ['--no-sandbox', ...ARGS] : ARGS,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(TIMEOUT_MS);
  const { requests, complaints } = await observe(context, page);
  return {
    page,
    requests,
    complaints,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

async function observe(context: BrowserContext, page: Page) {
  const requests: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => {
    requests.push(request.url());
  });
  page.on('console', (message) => {
    // A refused font is told with the whole font.
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text().slice(0, 500)}`);
  });
  page.on('pageerror', (error) => {
    complaints.push(`page: ${error.stack ?? error.message}`);
  });
  await page.exposeFunction('reportViolation', (directive: string, uri: string) => {
    complaints.push(`policy: ${directive} forbids ${uri.slice(0, 100)}`);
  });
  await page.addInitScript(`
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(event.effectiveDirective, event.blockedURI);
    });`);
  return { requests, complaints };
}
