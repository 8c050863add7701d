import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './pages/blocks.ts'
import { PAGES } from './pages/pages.ts'

const pages = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((path) => path !== '' && existsSync(`${ROOT}${path}`))
const textOf = (path: string): string =>
  readFileSync(`${ROOT}${path}`, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')

/** Anchors as the usual renderers make them of headings. */
const anchorsOf = (path: string): string[] =>
  [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  )

test('every link to a file of the repository, and to a section of a page, leads somewhere', () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return []
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      if (!existsSync(`${ROOT}${file}`)) return [`${page}: ${link}`]
      if (anchor === undefined || !file.endsWith('.md')) return []
      return anchorsOf(file).includes(anchor) ? [] : [`${page}: ${link}`]
    }),
  )
  expect(pages.length).toBeGreaterThan(30)
  expect(broken).toEqual([])
})

test('every command, program and configuration of any page runs; a fragment calls itself `typescript`', () => {
  const runs = /^ *```(sh|bash|ts|json|toml|devnet)\b/m
  const others = pages.filter(
    (page) => !PAGES.includes(page) && runs.test(readFileSync(`${ROOT}${page}`, 'utf8')),
  )
  expect(others).toEqual([])
})
