import type { Logger } from '@kaccy/bitcoin/kernel'
import { noteOf } from './events.ts'
import type { Presenter } from './presenter.ts'

/** Log lines instead of a view: for a process that nobody looks at. */
export function logPresenter(logger: Logger): Presenter {
  let trouble: string | undefined
  let height: number | undefined
  return {
    step: () => {},
    node(node) {
      if (node.trouble !== trouble) {
        if (node.trouble === undefined) logger.log('info', 'the node can be followed')
        else logger.log('warn', node.trouble)
      }
      trouble = node.trouble
    },
    show(snapshot, fresh) {
      for (const event of fresh)
        logger.log('info', event.type, {
          seq: event.seq,
          subject: event.subject,
          note: noteOf(event).replaceAll('\u202f', ''),
        })
      if (snapshot.tip && snapshot.tip.height !== height)
        logger.log('info', 'block', { height: snapshot.tip.height, hash: snapshot.tip.hash })
      height = snapshot.tip?.height
    },
    books: () => {},
    end: (lines) => {
      if (lines.length > 0) logger.log('info', lines.join(' '))
    },
  }
}
