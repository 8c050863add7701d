import type { Output } from '../shell.ts'

const HIDE = '\u001b[?25l'
const SHOW = '\u001b[?25h'
/** Synchronised update: terminals that know it show a frame at once, others ignore it. */
const BEGIN = '\u001b[?2026h'
const END = '\u001b[?2026l'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

/** Redraws a block of lines in place. What stood on the terminal before stays above it. */
export class Terminal {
  readonly #output: Output
  #height = 0
  #last = ''

  constructor(output: Output) {
    this.#output = output
  }
  /** Lines that fit without scrolling. */
  get rows(): number {
    return (this.#output.rows ?? 40) - 1
  }
  draw(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')
    if (text === this.#last && this.#height === lines.length) return
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : HIDE
    this.#output.write(`${BEGIN}${up}\r${text}${CLEAR_BELOW}${END}`)
    this.#height = lines.length
    this.#last = text
  }
  /** Leaves the last frame standing; what follows is written below it. */
  release(): void {
    if (this.#height > 0) this.#output.write(SHOW)
    this.#height = 0
    this.#last = ''
  }
}
