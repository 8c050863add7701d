import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  readonly kind: string
  /** Why it cannot run here: what stands behind `no-run:` at its fence. */
  readonly noRun?: string
  readonly text: string
}

/** Every block of a page that says what it is; where `heading` is given, those of that section. */
export function blocksOf(page: string, heading?: string): Block[] {
  const text = sectionOf(readFileSync(`${ROOT}${page}`, 'utf8'), heading)
  // A block inside a list is indented, its lines too.
  return [...text.matchAll(/^( *)```(\w+)([^\n]*)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', kind = '', note = '', inside = '']) => {
      const noRun = /^ no-run: (.+)$/.exec(note)?.[1]
      const lines = inside.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
      return { page, kind, text: lines, ...(noRun === undefined ? {} : { noRun }) }
    },
  )
}

function sectionOf(text: string, heading: string | undefined): string {
  if (heading === undefined) return text
  const section = text.split(/^(?=## )/m).find((part) => part.startsWith(`## ${heading}\n`))
  if (section === undefined) throw new Error(`no section ${heading}`)
  return section
}

/** Commands of a shell block: a line that ends in a backslash or inside single quotes goes on. */
export function commandsOf(text: string): string[] {
  const commands: string[] = []
  let open = ''
  for (const line of text.split('\n')) {
    open = open === '' ? line : `${open}\n${line}`
    const quotes = open.replaceAll(/"[^"\n]*"/g, '').split("'").length - 1
    if (quotes % 2 === 1 || open.endsWith('\\')) continue
    if (open.trim() !== '' && !open.startsWith('#')) commands.push(open)
    open = ''
  }
  return commands
}

/** Words of a plain line: single quotes hold together, nothing else means anything. */
export const wordsOf = (line: string): string[] =>
  [...line.replace(/\s+# .*$/, '').matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  )

/** Whether a shell would do more with the line than split it into words. */
export const isPlain = (line: string): boolean => !/[$|<>;&"`\\\n]/.test(line)

/** Lines that a page promises, in their order; `…` stands for anything. Undefined: all are there. */
export function missingIn(output: string, promised: string): string | undefined {
  let rest = output
  for (const line of promised.split('\n').filter((one) => one.trim() !== '')) {
    const parts = line
      .trim()
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/ +/g, '\\s+'))
    const found = new RegExp(parts.join('.*')).exec(rest)
    if (!found) return line
    rest = rest.slice(found.index + found[0].length)
  }
  return undefined
}
