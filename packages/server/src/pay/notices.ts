import { ICONS } from './icons.ts'
import { html, type Markup } from './markup.ts'
import { btcText } from './money.ts'
import type { PayView } from './view.ts'
import { fill, type Language, WORDS } from './words.ts'

/** What is worth a warning beside the phase. */
export type NoticeKind = 'lost' | 'overpaid' | 'late' | 'extra'

/**
 * Pure. A payment that is gone is no news once others cover the order: a fee bump replaces one by design.
 */
export function noticesOf(view: PayView): readonly NoticeKind[] {
  const { phase, payments } = view
  const lacks = phase === 'waiting' || phase === 'underpaid' || phase === 'expired_underpaid'
  const isPaidUp = phase === 'seen' || phase === 'confirming' || phase === 'paid'
  const replaced = payments.filter(({ place }) => place === 'gone')
  return [
    ...(replaced.length > 0 && (lacks || phase === 'expired') ? (['lost'] as const) : []),
    ...(view.verdict === 'overpaid' && isPaidUp ? (['overpaid'] as const) : []),
    ...(view.late && (isPaidUp || lacks) ? (['late'] as const) : []),
    ...(payments.some(({ extra, place }) => extra && place !== 'gone') ? (['extra'] as const) : []),
  ]
}

/** The notices as boxes. */
export function renderNotices(view: PayView, language: Language): readonly Markup[] {
  const words = WORDS[language]
  const sayings = {
    lost: words.lostNotice,
    overpaid: words.overpaidNotice,
    late: words.lateNotice,
    extra: words.extraNotice,
  }
  return noticesOf(view).map((kind) => {
    const { title, text } = sayings[kind]
    const heading = fill(title, { excess: btcText(view.excess, language) })
    return html`<div class="notice" data-notice="${kind}">${ICONS.warning}<div><h3>${heading}</h3><p>${text}</p></div></div>`
  })
}
