import { ICONS, ring } from './icons.ts'
import { html, type Markup } from './markup.ts'
import { btcNumber, btcText, satText } from './money.ts'
import { renderNotices } from './notices.ts'
import type { Phase } from './phase.ts'
import { qrSide } from './qr.ts'
import type { PayPayment, PayView } from './view.ts'
import { fill, type Language, WORDS, type Words } from './words.ts'

/** Pixels that the code may take, in each direction. */
const QR_MOST = 240

/** How a phase looks: the colour of its mark. */
const TONE: Readonly<Record<Phase, 'wait' | 'work' | 'good' | 'warn' | 'bad'>> = {
  waiting: 'wait',
  underpaid: 'warn',
  seen: 'work',
  confirming: 'work',
  paid: 'good',
  expired: 'bad',
  expired_underpaid: 'warn',
  late: 'warn',
  cancelled: 'bad',
}

/** Heading and explanation of the phase, filled in. */
export function sayingOf(view: PayView, language: Language): { title: string; text: string } {
  const words = WORDS[language]
  const { phase, amount } = view
  const isOpen = amount === undefined
  const open = phase === 'waiting' ? words.openWaiting : words.openPaid
  const saying = isOpen && (phase === 'waiting' || phase === 'paid') ? open : words.phases[phase]
  const values = {
    missing: btcText(view.missing, language),
    confirmations: view.confirmations,
    required: view.required,
  }
  return { title: fill(saying.title, values), text: fill(saying.text, values) }
}

/** Where the payer acts and looks: status, code, address, progress. */
export function renderPanel(view: PayView, language: Language): Markup {
  const words = WORDS[language]
  const { title, text } = sayingOf(view, language)
  return html`<section class="panel" data-part="panel" aria-labelledby="status-title">
<div class="status" data-tone="${TONE[view.phase]}">
${markOf(view)}
<h2 id="status-title" tabindex="-1">${title}</h2>
<p class="status-text">${text}</p>
</div>
${renderNotices(view, language)}
${view.payable && renderWays(view, language)}
${stepsOf(view, words)}
${view.payments.length > 0 && renderPayments(view, language)}
${referenceOf(view, words)}
</section>`
}

function markOf({ phase, confirmations, required, payable }: PayView): Markup {
  if (payable) return html`<span class="dot" aria-hidden="true"></span>`
  const share = confirmations / required
  if (phase === 'seen') return ring(0.18, html`<b>0/${required}</b>`)
  if (phase === 'confirming') return ring(share, html`<b>${confirmations}/${required}</b>`)
  if (phase === 'paid') return ring(1, ICONS.check)
  return ring(
    0,
    phase === 'cancelled' ? ICONS.cross : phase === 'expired' ? ICONS.clock : ICONS.warning,
  )
}

/** The ways to pay: code, link, address and amount. Nothing of it is there once nothing should be paid any more. */
function renderWays(view: PayView, language: Language): Markup {
  const words = WORDS[language]
  const due = view.missing > 0n ? view.missing : view.amount
  const amount = due === undefined ? words.anyAmount : btcText(due, language)
  const alt = fill(words.qrAlt, { amount, address: view.address })
  const side = qrSide(view.uri, QR_MOST)
  const version = due === undefined ? 'any' : due.toString()
  return html`<div class="ways">
<button type="button" class="qr" id="copy-link" data-copy="${view.uri}" aria-describedby="qr-hint"><img src="${view.id}/qr.svg?due=${version}" width="${side}" height="${side}" alt="${alt}"></button>
<p class="hint" id="qr-hint" data-hint>${words.qrHint}</p>
<a class="button primary" id="open-wallet" href="${view.uri}">${ICONS.wallet}${words.openWallet}</a>
${due !== undefined && fieldOf({ id: 'amount', label: words.amount, value: btcNumber(due), shown: html`<span class="exact">${amount}</span> <span class="quiet">${satText(due)}</span>`, copy: words.copyAmount })}
${fieldOf({ id: 'address', label: words.address, value: view.address, shown: chunked(view.address), copy: words.copyAddress })}
${due !== undefined && html`<p class="hint">${words.exactly}</p>`}
</div>`
}

interface Field {
  readonly id: string
  readonly label: string
  readonly value: string
  readonly shown: Markup
  readonly copy: string
}
const fieldOf = ({ id, label, value, shown, copy }: Field): Markup =>
  html`<div class="field"><div class="field-text"><span class="label" id="${id}-label">${label}</span><span class="value" id="${id}">${shown}</span></div><button type="button" class="button copy" id="copy-${id}" data-copy="${value}" aria-label="${copy}" title="${copy}">${ICONS.copy}${ICONS.check}</button></div>`

/** An address in groups of four, by gaps that are not characters: what is selected and copied has none. */
export const chunked = (address: string): Markup =>
  html`<code class="address">${(address.match(/.{1,4}/gu) ?? []).map((part) => html`<span>${part}</span>`)}</code>`

const STEPS = ['waiting', 'seen', 'confirming', 'paid'] as const

/** How far the payment is. Left out where it goes no further. */
function stepsOf(view: PayView, words: Words): Markup | undefined {
  const { phase, confirmations, required } = view
  const reached = STEPS.indexOf(
    phase === 'underpaid' ? 'waiting' : (phase as (typeof STEPS)[number]),
  )
  if (reached < 0) return undefined
  const items = STEPS.map((step, at) => {
    const isDone = at < reached || phase === 'paid'
    const count =
      step === 'confirming' && reached >= 1
        ? html` <span class="count">${confirmations}/${required}</span>`
        : ''
    const current = at === reached ? html` aria-current="step"` : ''
    return html`<li data-state="${isDone ? 'done' : at === reached ? 'now' : 'next'}"${current}><span class="step-mark" aria-hidden="true">${isDone ? ICONS.check : ''}</span><span class="step-name">${words.steps[step]}${count}</span></li>`
  })
  return html`<ol class="steps" aria-label="${words.progress}">${items}</ol>`
}

function renderPayments(view: PayView, language: Language): Markup {
  const words = WORDS[language]
  const earlier =
    view.earlier > 0 && html`<p class="hint">${fill(words.earlier, { count: view.earlier })}</p>`
  const rows = view.payments.map(
    (payment) =>
      html`<li data-place="${payment.place}"><span class="payment-amount">${btcText(payment.amount, language)}</span><span class="payment-state">${stateOf(payment, view, words)}</span><code class="txid">${payment.txid}</code></li>`,
  )
  return html`<details class="payments"><summary>${words.payments} (${view.payments.length + view.earlier})</summary><ul>${rows}</ul>${earlier}</details>`
}

function stateOf(payment: PayPayment, view: PayView, words: Words): string {
  if (payment.place === 'gone') return payment.reason === 'replaced' ? words.replaced : words.gone
  const depth = payment.confirmations
  const state =
    depth === 0
      ? words.unconfirmed
      : depth >= view.required
        ? words.confirmed
        : fill(words.confirmations, { confirmations: depth, required: view.required })
  const aside = payment.extra ? words.extra : payment.late ? words.late : undefined
  return aside === undefined ? state : `${state}, ${aside}`
}

/** What a payer names when something went wrong: then with a button, else as small print. */
function referenceOf(view: PayView, words: Words): Markup {
  const { id, phase } = view
  const isAsked = TONE[phase] === 'bad' || phase === 'late' || phase === 'expired_underpaid'
  if (!isAsked)
    return html`<p class="reference"><span class="label">${words.order}</span> <code>${id}</code></p>`
  const shown = html`<code class="reference">${id}</code>`
  return fieldOf({ id: 'order', label: words.order, value: id, shown, copy: words.copyOrder })
}
