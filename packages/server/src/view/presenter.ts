import type { Output } from '../shell.ts'
import { satText } from './amount.ts'
import { renderBooks } from './books.ts'
import { meaningOfEvent, noteOf } from './events.ts'
import { booksJson, eventJson, snapshotJson } from './json.ts'
import type { Books, EventView, NodeView, Snapshot, StepView } from './model.ts'
import type { Paint } from './paint.ts'
import { renderScreen, type ScreenState } from './screen.ts'
import { padTo, printable } from './table.ts'
import { Terminal } from './terminal.ts'

/** Shows what happens, in the form that the reader can use. */
export interface Presenter {
  step(step: StepView): void
  node(node: NodeView): void
  /** Events that are new since the last call, oldest first, and the state after them. */
  show(snapshot: Snapshot, fresh: readonly EventView[]): void
  books(books: Books): void
  /** Closing words; the view is over. */
  end(lines: readonly string[], summary: Readonly<Record<string, string | boolean | null>>): void
}

/** One screen, redrawn in place. */
export function livePresenter(
  output: Output,
  paint: Paint,
  begin: Pick<ScreenState, 'command' | 'node' | 'footer'>,
): Presenter {
  const terminal = new Terminal(output)
  let state: ScreenState = begin
  const draw = (change: Partial<ScreenState>) => {
    state = { ...state, ...change }
    terminal.draw(renderScreen(state, terminal.rows, paint))
  }
  draw({})
  return {
    step: (step) => draw({ step }),
    node: (node) => draw({ node }),
    show: (snapshot) => draw({ snapshot }),
    books(books) {
      terminal.release()
      output.write(
        `\n${[paint('strong', ' the books'), '', ...renderBooks(books, paint)].join('\n')}\n`,
      )
    },
    end(lines) {
      terminal.release()
      if (lines.length > 0) output.write(`\n${lines.map((line) => ` ${line}`).join('\n')}\n`)
    },
  }
}

/** A line for each thing that happens: for logs, pipes and screen readers. */
export function plainPresenter(output: Output, paint: Paint): Presenter {
  let trouble: string | undefined
  let standing = ''
  const say = (text: string) => output.write(`${text}\n`)
  return {
    step: ({ number, total, title, text }) =>
      say(
        ['', `${number}/${total} ${paint('name', title)}`, ...text.map((line) => `  ${line}`)].join(
          '\n',
        ),
      ),
    node(node) {
      if (node.trouble !== trouble) say(node.trouble ?? `the node answers again: ${node.url}`)
      trouble = node.trouble
    },
    show(snapshot, fresh) {
      for (const event of fresh) {
        const type = padTo(event.type, 24)
        const meaning = meaningOfEvent(event.type)
        say(`  #${event.seq} ${meaning ? paint(meaning, type) : type} ${printable(noteOf(event))}`)
      }
      const { order, tip } = snapshot
      if (!order) return
      const now = `order ${order.status}, ${order.verdict}: received ${satText(order.received)}, credited ${satText(order.credited)}, missing ${satText(order.missing)}`
      if (now !== standing) say(`  ${paint('strong', now)} (block ${tip?.height ?? '?'})`)
      standing = now
    },
    books: (books) => say(['', 'the books', '', ...renderBooks(books, paint)].join('\n')),
    end: (lines) => {
      if (lines.length > 0) say(['', ...lines].join('\n'))
    },
  }
}

/** One JSON object a line: for programs. Satoshi are integers. */
export function jsonPresenter(output: Output): Presenter {
  const say = (value: object) => output.write(`${JSON.stringify(value)}\n`)
  let last = ''
  let trouble: string | undefined
  return {
    step: ({ id, number, total, title }) => say({ type: 'step', step: id, number, total, title }),
    node(node) {
      if (node.trouble !== trouble)
        say({ type: 'node', url: node.url, trouble: node.trouble ?? null })
      trouble = node.trouble
    },
    show(snapshot, fresh) {
      for (const event of fresh) say({ type: 'event', event: eventJson(event) })
      const state = snapshotJson(snapshot)
      const text = JSON.stringify(state)
      if (text !== last) say({ type: 'state', ...state })
      last = text
    },
    books: (books) => say({ type: 'books', ...booksJson(books) }),
    end: (_lines, summary) => say({ type: 'end', ...summary }),
  }
}
