/** `npm run api-reference`: writes docs/api.md from the OpenAPI document. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../options.ts'
import { readDocument } from './document.ts'
import { pageOf } from './page.ts'

readOptions({})
writeFileSync(
  fileURLToPath(new URL('../../docs/api.md', import.meta.url)),
  pageOf(await readDocument()),
)
