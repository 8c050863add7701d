import { isDeepStrictEqual } from 'node:util'
import { formatLabels, parseLabels } from '@kaccy/bitcoin/wallet'
import { type Case, type CaseRecord, must, runShapes, type Shape } from '../cases.ts'

export const topic = 'labels'

const linesOf = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== '')

/** Each line alone and all together: imported, exported again, the same fields and values. Source: BIP 329. */
const lines: Shape = {
  matches: ({ name, text }) => name.endsWith('.jsonl') && linesOf(text).length > 0,
  *cases({ text }): Generator<Case> {
    const all = linesOf(text)
    for (const [i, line] of all.entries()) {
      yield [
        `line ${i + 1}`,
        () => {
          const { labels, skipped } = must(parseLabels(line))
          const [skip] = skipped
          if (skip) return `was left out: ${skip.reason}`
          const again = linesOf(formatLabels(labels))
          if (again.length !== 1) return `${again.length} lines came out of one`
          const [before, after] = [line, again[0] ?? ''].map((one) => JSON.parse(one) as unknown)
          return isDeepStrictEqual(before, after) ? undefined : `came out as ${again[0]}`
        },
      ]
    }
  },
}

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, [lines])
