import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import type { Found } from './node.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Path of a Chromium: `CHROMIUM`, or the first of its usual names on PATH. */
export function findChromium(): Found<string> {
  const given = process.env['CHROMIUM']
  if (given)
    return existsSync(given) ? { found: given } : { missing: `CHROMIUM=${given} is not there` }
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = paths.find((path) => existsSync(path))
  return found === undefined
    ? { missing: `none of ${NAMES.join(', ')} is on PATH, and CHROMIUM names none` }
    : { found }
}

/** Starts it without a window. It reaches this machine only: whoever asks for another one gets no answer. */
export function startChromium(path: string): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    args: [
      // Root has no sandbox to go into, and the pages are our own.
      '--no-sandbox',
      '--headless=new',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      '--disable-background-networking',
      '--force-color-profile=srgb',
    ],
  })
}
