import type { SyncProgress } from '@kaccy/bitcoin'
import type { Context } from './context.ts'

/** Blocks of work that are worth a line. */
const LONG = 10

/** Shows how far long work has come: one line on stderr that is written over, or an object a line with --json. */
export async function withProgress<T>(
  context: Context,
  work: (progress: SyncProgress) => Promise<T>,
): Promise<T> {
  const { stderr } = context.shell
  let open = false
  const say = (what: string, at: number, to: number) => {
    if (context.json) {
      stderr.write(`${JSON.stringify({ type: 'progress', what, at, to })}\n`)
    } else if (stderr.isTTY === true) {
      stderr.write(`\r${what}: block ${at} of ${to}\u001b[K`)
      open = true
    }
  }
  try {
    return await work({
      onBlocks: (tip, target) => {
        if (target.height - tip.height >= LONG) say('catching up', tip.height, target.height)
      },
      onRescan: ({ height, from, to }) => {
        if (to - from >= LONG) say('rescan', Math.min(height, to), to)
      },
    })
  } finally {
    if (open) stderr.write('\r\u001b[K')
  }
}
