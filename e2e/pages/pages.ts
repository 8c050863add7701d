import { readdirSync } from 'node:fs'
import { ROOT } from './blocks.ts'

/** Pages with commands and programs for users. Pages of capabilities show fragments, and are not among them. */
export const PAGES: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/quick-start.md',
  ...readdirSync(`${ROOT}docs/guides`).map((name) => `docs/guides/${name}`),
  'deploy/README.md',
  'examples/shop/README.md',
  'packages/engine/README.md',
  'packages/devnet/README.md',
  'packages/server/README.md',
]
