import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { ROOT } from './process.ts'

/** A whole program from a page, and the file name it runs under. */
export interface Example {
  readonly file: string
  readonly text: string
}

/**
 * Every fenced block that starts with ```ts is a whole program and has to run. A fragment that is not
 * is fenced as ```typescript, which looks the same on the page.
 */
export function examplesOf(pages: readonly string[]): Example[] {
  return pages
    .filter((page) => existsSync(`${ROOT}${page}`))
    .flatMap((page) => {
      const name = page === 'README.md' ? 'root' : (page.split('/')[1] ?? 'page')
      const blocks = readFileSync(`${ROOT}${page}`, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)
      return [...blocks].map((match, index) => ({
        file: `${name}-${index + 1}.ts`,
        text: match[1] ?? '',
      }))
    })
}

/** The programs of `examples/`: each runs by itself and ends. */
export const exampleFiles = (): Example[] =>
  readdirSync(`${ROOT}examples`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => ({ file, text: readFileSync(`${ROOT}examples/${file}`, 'utf8') }))

/** The shop of `examples/shop`: it serves until it is stopped, so here only its types are checked; `e2e/shop.test.ts` runs it. */
export const shopFiles = (): Example[] =>
  readdirSync(`${ROOT}examples/shop`)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({
      file: `shop/${file}`,
      text: readFileSync(`${ROOT}examples/shop/${file}`, 'utf8'),
    }))
