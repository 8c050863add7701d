import type { SyncProgress } from '@kaccy/bitcoin'
import type { Context } from './context.ts'

/** Blocks of work that are worth a line. */
const LONG = 10
const BAR = 24

/** How far long work has come: one line on stderr that is written over, or an object a line with --json. */
export class Progress {
  readonly #context: Context
  #open = false
  #last = ''

  constructor(context: Context) {
    this.#context = context
  }
  /** @param from where the work began, so that the bar starts empty */
  say(what: string, at: number, to: number, from = 0): void {
    const { stderr } = this.#context.shell
    const line = this.#context.json
      ? `${JSON.stringify({ type: 'progress', what, at, to })}\n`
      : `\r${what} ${barOf(at - from, to - from)} block ${at} of ${to}\u001b[K`
    const shown = this.#context.json || stderr.isTTY === true
    if (!shown || line === this.#last) return
    this.#last = line
    this.#open ||= !this.#context.json
    stderr.write(line)
  }
  /** Takes the line away. */
  end(): void {
    if (this.#open) this.#context.shell.stderr.write('\r\u001b[K')
    this.#open = false
  }
}

function barOf(done: number, all: number): string {
  const share = all <= 0 ? 1 : Math.min(1, Math.max(0, done / all))
  const full = Math.floor(share * BAR)
  const percent = `${Math.floor(share * 100)}`.padStart(3)
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${percent} %`
}

/** Shows the progress of work that this process does itself. */
export async function withProgress<T>(
  context: Context,
  work: (progress: SyncProgress) => Promise<T>,
): Promise<T> {
  const progress = new Progress(context)
  let begun: number | undefined
  try {
    return await work({
      onBlocks: (tip, target) => {
        begun ??= tip.height
        if (target.height - tip.height >= LONG || tip.height > begun)
          progress.say('catching up', tip.height, target.height, begun)
      },
      onRescan: ({ height, from, to }) => {
        if (to - from >= LONG) progress.say('rescan', Math.min(height, to), to, from)
      },
    })
  } finally {
    progress.end()
  }
}
