import type { OrderView } from './model.ts'
import type { Meaning, Paint } from './paint.ts'

const STEPS = ['pending', 'unconfirmed', 'confirmed', 'full_confirmed', 'finalized'] as const
/** Places between two labels; with the labels the ladder is 74 wide. */
const GAP = 6

export const meaningOfStatus = (status: OrderView['status']): Meaning => {
  if (status === 'failed') return 'bad'
  if (status === 'full_confirmed' || status === 'finalized') return 'good'
  return status === 'pending' ? 'quiet' : 'wait'
}

/** The five levels of an order from left to right, and how far it has come. Three lines. */
export function renderLadder(order: OrderView, paint: Paint): string[] {
  const reached = (STEPS as readonly string[]).indexOf(order.status)
  const meaning = meaningOfStatus(order.status)
  const { confirmed, fullConfirmed, finalized } = order.thresholds
  const hints = ['', 'seen', depth(confirmed), `${depth(fullConfirmed)}, credit`, depth(finalized)]
  let marks = ''
  let labels = ''
  let notes = ''
  STEPS.forEach((step, at) => {
    const last = at === STEPS.length - 1
    const width = step.length + (last ? 0 : GAP)
    const isReached = at <= reached
    marks += paint(isReached ? meaning : 'quiet', isReached ? '●' : '○')
    if (!last) {
      const passed = at < reached
      marks += paint(passed ? meaning : 'quiet', ` ${(passed ? '━' : '┄').repeat(width - 3)} `)
    }
    const label = step.padEnd(width)
    labels += at === reached ? paint(meaning, label) : paint('quiet', label)
    notes += (hints[at] ?? '').padEnd(width)
  })
  if (order.status === 'failed') {
    const reason = order.failureReason === undefined ? '' : `: ${order.failureReason}`
    return [marks, labels, paint('bad', `failed${reason}`)]
  }
  return [marks, labels, paint('quiet', notes.trimEnd())]
}

const depth = (blocks: number): string => `${blocks} deep`
