import { shortened } from './amount.ts'
import { clip, renderOrder, renderOrders, renderPayments, widthOf } from './card.ts'
import { renderEvents } from './events.ts'
import type { NodeView, Snapshot, StepView } from './model.ts'
import type { Paint } from './paint.ts'

export const WIDTH = 80
/** Events that the screen keeps room for. */
export const EVENT_ROWS = 6
const PAYMENT_ROWS = 5

/** All that the screen shows at one moment. */
export interface ScreenState {
  readonly command: string
  readonly node: NodeView
  readonly snapshot?: Snapshot
  readonly step?: StepView
  /** Last line: how to stop, what is going on. */
  readonly footer: string
}

const spread = (left: string, right: string): string =>
  `${left}${' '.repeat(Math.max(1, WIDTH - widthOf(left) - widthOf(right)))}${right}`

/** The whole screen as lines of at most 80 places. Pure: the same state gives the same lines. */
export function renderScreen(state: ScreenState, rows: number, paint: Paint): string[] {
  return compose(state, rows, paint).map((line) => clip(line, WIDTH))
}

/** Terminals of this height or less get the same words without air between them. */
const SMALL_ROWS = 30

function compose(state: ScreenState, rows: number, paint: Paint): string[] {
  const { snapshot, step } = state
  const air = rows < SMALL_ROWS ? [] : ['']
  const head = [
    spread(` ${paint('strong', state.command)}`, `${placeOf(state, paint)} `),
    ...(state.node.trouble === undefined ? [] : [paint('bad', ` ${state.node.trouble}`)]),
    '',
  ]
  const body = snapshot ? bodyOf(snapshot, air, paint) : [paint('quiet', ' starting …')]
  const foot = [...air, paint('quiet', ` ${state.footer}`)]
  const story = step ? [...renderStep(step, paint), ...air] : []
  const above = [...head, ...story, ...body]
  if (!snapshot) return [...above, ...foot]
  const room = Math.min(EVENT_ROWS, rows - above.length - foot.length - air.length - 1)
  if (room < 1) return [...above, ...foot].slice(0, Math.max(1, rows))
  const events = renderEvents(snapshot.events.slice(-room), WIDTH, paint)
  return [...above, ...air, heading('events', alertsOf(snapshot, paint), paint), ...events, ...foot]
}

function placeOf({ snapshot, node }: ScreenState, paint: Paint): string {
  if (!snapshot?.tip) return paint('quiet', node.url)
  const { height, hash } = snapshot.tip
  const tip = `${paint('quiet', 'block')} ${paint('strong', String(height))}`
  return `${snapshot.network}  ${tip}  ${paint('quiet', shortened(hash, 0, 8))}`
}

const heading = (title: string, right: string, paint: Paint): string =>
  spread(` ${paint('quiet', title)}`, right === '' ? '' : `${right} `)

const alertsOf = ({ openAlerts }: Snapshot, paint: Paint): string =>
  openAlerts === 0
    ? ''
    : paint('bad', `${openAlerts} open ${openAlerts === 1 ? 'alert' : 'alerts'}`)

function bodyOf(snapshot: Snapshot, air: readonly string[], paint: Paint): string[] {
  const { order, payments } = snapshot
  if (!order) return [heading('newest orders', '', paint), ...renderOrders(snapshot.orders, paint)]
  const hidden = payments.length - PAYMENT_ROWS
  return [
    ...renderOrder(order, paint, air),
    ...air,
    heading('payments', hidden > 0 ? `${hidden} earlier` : '', paint),
    ...renderPayments(payments.slice(-PAYMENT_ROWS), paint),
  ]
}

/** What is happening, and why it matters: two lines kept free, so that the picture below stands still. */
export function renderStep(step: StepView, paint: Paint): string[] {
  const count = paint('quiet', `${step.number}/${step.total}`)
  const [first = '', second = ''] = step.text
  return [` ${count}  ${paint('name', step.title)}`, ` ${first}`, ` ${second}`]
}
