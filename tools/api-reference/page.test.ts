import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readDocument } from './document.ts'
import { pageOf } from './page.ts'

const PAGE = fileURLToPath(new URL('../../docs/api.md', import.meta.url))

test('docs/api.md is what `npm run api-reference` writes, and its links lead somewhere', async () => {
  const page = pageOf(await readDocument())
  expect(readFileSync(PAGE, 'utf8') === page, 'run `npm run api-reference`').toBe(true)
  const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor ?? '')
  expect(links.length).toBeGreaterThan(50)
  expect(links.filter((anchor) => !anchors.includes(anchor))).toEqual([])
  expect(new Set(anchors).size, 'a title that stands twice').toBe(anchors.length)
})
