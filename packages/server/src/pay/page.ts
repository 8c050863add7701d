import { ICONS } from './icons.ts'
import { foreign, html, type Markup } from './markup.ts'
import { btcText, priceText, satText } from './money.ts'
import { renderPanel, sayingOf } from './panel.ts'
import { type PayView, payJson } from './view.ts'
import { fill, type Language, WORDS } from './words.ts'

/** How the page is asked for, beside the order. */
export interface PageOptions {
  readonly language: Language
  /** A scheme that was asked for; undefined: what the payer's system prefers. */
  readonly scheme?: 'light' | 'dark'
  /** Inside a frame: one column, no ground of its own. */
  readonly embedded?: boolean
  /** Origin of the page around the frame, if it may be told: nobody else hears of the order. */
  readonly parent?: string
  readonly merchant?: string
  /** Names below `assets/`, relative to the page. */
  readonly assets: PageAssets
}
export interface PageAssets {
  readonly style: string
  readonly script: string
  readonly icon: string
  readonly logo?: string
}

/** The whole document. Everything that is to be known is in it; the script only keeps it up to date. */
export function renderPay(view: PayView, options: PageOptions): string {
  const { language, merchant } = options
  const words = WORDS[language]
  const heading = merchant === undefined ? words.pay : fill(words.payTo, { name: merchant })
  const data = payJson(view)
  const expires = view.expiresAt === undefined ? '' : `${data.expires_in_ms}`
  const total = view.expiresAt === undefined ? '' : `${view.expiresAt - view.createdAt}`
  const body = html`<main id="pay" data-order="${view.id}" data-phase="${view.phase}" data-revision="${data.revision}" data-final="${view.final ? 'yes' : 'no'}" data-expires-in="${expires}" data-lifetime="${total}" data-parent="${options.parent ?? ''}" data-copied="${words.copied}" data-copy-failed="${words.copyFailed}" data-time-left="${words.timeLeft}" data-time-over="${words.timeOver}" data-offline="${words.offline}">
${renderSummary(view, options, heading)}
${renderPanel(view, language)}
</main>
<p class="offline" id="offline" role="status" hidden>${words.offline}</p>
<p class="unseen" id="live" role="status" aria-live="polite" aria-atomic="true"></p>
<noscript><p class="noscript">${words.noScript} <a href="">${words.reload}</a></p></noscript>`
  return documentOf(`${sayingOf(view, language).title} · ${heading}`, body, options)
}

/** The answer to a link that leads nowhere: nothing says whether it ever led somewhere. */
export function renderMissing(options: PageOptions): string {
  const { title, text } = WORDS[options.language].notFound
  const body = html`<main class="alone"><section class="panel" aria-labelledby="status-title"><div class="status" data-tone="bad">${ICONS.warning}<h1 id="status-title">${title}</h1><p class="status-text">${text}</p></div></section></main>`
  return documentOf(title, body, options, false)
}

function documentOf(title: string, body: Markup, options: PageOptions, isLive = true): string {
  const { language, scheme, embedded = false, assets } = options
  const theme = scheme === undefined ? '' : html` data-theme="${scheme}"`
  const frame = embedded ? html` data-embedded=""` : ''
  const script = isLive ? html`\n<script type="module" src="assets/${assets.script}"></script>` : ''
  return `<!doctype html>\n${html`<html lang="${language}"${theme}${frame}>
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${scheme ?? 'light dark'}">
<meta name="robots" content="noindex, nofollow">
<meta name="format-detection" content="telephone=no">
<link rel="icon" href="assets/${assets.icon}">
<link rel="stylesheet" href="assets/${assets.style}">${script}
</head>
<body>
${body}
</body>
</html>`}\n`
}

/** What is paid, to whom and for what. */
function renderSummary(view: PayView, options: PageOptions, heading: string): Markup {
  const { language, assets } = options
  const words = WORDS[language]
  const logo =
    assets.logo !== undefined &&
    html`<img class="logo" src="assets/${assets.logo}" alt="" height="40">`
  return html`<section class="summary" data-part="summary" aria-labelledby="pay-title">
${view.network !== 'main' && html`<p class="network">${fill(words.testNetwork, { network: view.network })}</p>`}
<div class="merchant">${logo}<h1 id="pay-title">${heading}</h1></div>
${amountsOf(view, language)}
${view.description !== undefined && html`<p class="description">${foreign(view.description)}</p>`}
${factsOf(view, language)}
${view.payable && view.phase !== 'paid' && deadlineOf(view, language)}
</section>`
}

function amountsOf({ amount, price }: PayView, language: Language): Markup {
  if (amount === undefined) return html`<p class="amount">${WORDS[language].anyAmount}</p>`
  const btc = btcText(amount, language)
  const sat = satText(amount)
  if (price === undefined)
    return html`<p class="amount">${btc}</p><p class="amount-beside">${sat}</p>`
  return html`<p class="amount">${priceText(price, language)}</p><p class="amount-beside">${btc} (${sat})</p><p class="rate">${fill(WORDS[language].rate, { rate: priceText({ ...price, amount: price.rate }, language) })}</p>`
}

function factsOf(view: PayView, language: Language): Markup | undefined {
  const words = WORDS[language]
  const facts = [
    [words.received, view.received],
    [words.missing, view.phase === 'expired' || view.phase === 'waiting' ? 0n : view.missing],
    [words.excess, view.excess],
  ] as const
  const rows = facts.flatMap(([label, amount]) =>
    amount > 0n
      ? [
          html`<div><dt>${label}</dt><dd>${btcText(amount as PayView['received'], language)}</dd></div>`,
        ]
      : [],
  )
  return view.received === 0n ? undefined : html`<dl class="facts">${rows}</dl>`
}

/** Within this time nobody takes an hour for one of another day. */
const SOON_MS = 20 * 3_600_000
const clocks = (locale: string) => ({
  short: new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: 'UTC' }),
  long: new Intl.DateTimeFormat(locale, {
    timeStyle: 'short',
    dateStyle: 'medium',
    timeZone: 'UTC',
  }),
})
const CLOCKS = { en: clocks('en-GB'), de: clocks('de-DE') }

/** Until when: as a time that is right without a script, which turns it into a countdown by the server's clock. */
function deadlineOf({ expiresAt, now }: PayView, language: Language): Markup | undefined {
  if (expiresAt === undefined) return undefined
  const date = new Date(expiresAt)
  const isSoon = expiresAt - now < SOON_MS
  const time = CLOCKS[language][isSoon ? 'short' : 'long'].format(date)
  return html`<div class="deadline"><p>${ICONS.clock}<time datetime="${date.toISOString()}" id="deadline" role="timer" aria-live="off">${fill(WORDS[language].until, { time })}</time></p><progress id="deadline-bar" max="1" value="1" aria-hidden="true"></progress></div>`
}
