import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const PACKAGES = ['engine', 'devnet', 'server', 'signer'] as const

/** A source file as the house rules see it: its path from the root, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

const read = (path: string): Source => ({ path, text: readFileSync(`${ROOT}${path}`, 'utf8') })

const under = (folder: string): string[] => {
  try {
    return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((file) => !/(^|\/)(node_modules|dist)\//.test(file))
      .map((file) => `${folder}/${file}`)
  } catch {
    return []
  }
}

/** Every TypeScript file of the packages. */
export const packageFiles = (): Source[] =>
  PACKAGES.flatMap((name) => under(`packages/${name}/src`))
    .filter((path) => path.endsWith('.ts'))
    .map(read)

/** What is published: package files without tests and benchmarks. */
export const shippedFiles = (): Source[] =>
  packageFiles().filter(({ path }) => !/\.(test|bench)\.ts$/.test(path))

/** Every TypeScript file of the repository outside the packages' sources. */
export const outsideFiles = (): Source[] =>
  ['tools', 'test', 'e2e', 'examples', ...PACKAGES.map((name) => `packages/${name}/bench`)]
    .flatMap(under)
    .filter((path) => path.endsWith('.ts'))
    .map(read)

/** Text files under version control. */
export const committedFiles = (): Source[] =>
  execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && !/\.(png|ico|gz|wasm)$/.test(path))
    .flatMap((path) => {
      try {
        return [read(path)]
      } catch {
        return [] // deleted in the work tree, not yet committed
      }
    })

/** Source text without comments. Strings stay: a code or a name in them counts. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{}(,])\/\/[^\n]*/g, '$1')

/** `path:line` of every line that matches. */
export const hits = (sources: readonly Source[], pattern: RegExp): string[] =>
  sources.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      ),
  )
