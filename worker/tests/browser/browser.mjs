// A browser, and what is asked of every page: no error in its console, nothing asked from elsewhere.

import { chromium } from 'playwright-core';

/** What a browser says by itself of requests that fail. */
const LOST = /net::ERR_|Failed to load resource/;

export async function browser(base) {
  const program = await chromium.launch({ executablePath: process.env.EDDYLINE_BROWSER, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  return {
    /** A page of its own, and what went wrong on it. `lost` says that some requests are to fail. */
    async page({ width = 1280, height = 900, theme = 'light', lost = false, at = base, origins = [at] } = {}) {
      const context = await program.newContext({ viewport: { width, height }, colorScheme: theme });
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      const faults = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && !(lost && LOST.test(message.text()))) faults.push(message.text());
      });
      page.on('pageerror', (error) => faults.push(error.stack));
      page.on('request', (request) => {
        if (!origins.includes(new URL(request.url()).origin)) faults.push(`asked from elsewhere: ${request.url()}`);
      });
      return {
        page,
        open: (hash) => page.goto(`${at}/${hash}`),
        /** Closes it; an error if anything went wrong. */
        async close() {
          await context.close();
          if (faults.length > 0) throw new Error(`the browser's console says:\n${faults.join('\n')}`);
        },
        shot: (name) => page.screenshot({ path: `${process.env.EDDYLINE_SHOTS}/${name}.png`, fullPage: true }),
      };
    },
    close: () => program.close(),
  };
}
