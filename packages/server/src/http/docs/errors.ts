import { existsSync, readFileSync } from 'node:fs'
import { type ErrorCode, REGISTRY } from '@kaccy/bitcoin/kernel'
import { html, type Markup } from '../../pay/markup.ts'
import { ERROR_PAGES } from '../problem.ts'
import { statusOf } from '../status.ts'
import { pageOf } from './page.ts'
import { proseOf } from './text.ts'

/** The build puts the page beside this file; in the repository it stands with the other documents. */
const PLACES = ['./errors.md', '../../../../../docs/errors.md'].map(
  (place) => new URL(place, import.meta.url),
)
const CODES = Object.keys(REGISTRY).sort() as readonly ErrorCode[]

/** Explanations by code, read once. */
export function readExplanations(): ReadonlyMap<string, string> {
  const place = PLACES.find((one) => existsSync(one))
  const text = place ? readFileSync(place, 'utf8') : ''
  const sections = text.split(/^## /m).slice(1)
  return new Map(
    sections.map((section) => {
      const end = section.indexOf('\n')
      const said = section.slice(end + 1).replace(/^Remedy: \w+\. */, '')
      return [section.slice(0, end).trim(), said.trim()]
    }),
  )
}

const WHO = {
  caller: 'The caller: change the request.',
  retry: 'Time: the same request may be made again later.',
  human: 'An operator has to look; retrying alone will not help.',
} as const

/** The page that the `type` of a problem links to. Undefined for what is no code. */
export function errorPage(
  code: string,
  explanations: ReadonlyMap<string, string>,
): string | undefined {
  if (!Object.hasOwn(REGISTRY, code)) return undefined
  const known = code as ErrorCode
  const { title, remedy } = REGISTRY[known]
  return pageOf(
    `${code}: ${title}`,
    html`<header><p><a href="/docs">API reference</a> / <a href="${ERROR_PAGES}">Errors</a></p></header>
<main>
<h1><code>${code}</code></h1>
<p class="lead">${title}.</p>
<dl><dt>Who can do something</dt><dd><code>${remedy}</code> ${WHO[remedy]}</dd>
<dt>Status in HTTP</dt><dd>${statusOf(known)}</dd></dl>
${proseOf(explanations.get(code) ?? '')}
</main>`,
  )
}

export const errorIndex = (): string =>
  pageOf(
    'Errors',
    html`<header><p><a href="/docs">API reference</a></p></header>
<main>
<h1>Errors</h1>
<p>Every answer that says no is a problem (RFC 9457) with one of these codes.</p>
<div class="scroll"><table><thead><tr><th>Code</th><th>Status</th><th>Remedy</th><th>What it means</th></tr></thead>
<tbody>${CODES.map(row)}</tbody></table></div>
</main>`,
  )

const row = (code: ErrorCode): Markup => {
  const { title, remedy } = REGISTRY[code]
  return html`<tr><td><a href="${ERROR_PAGES}/${code}"><code>${code}</code></a></td><td>${statusOf(code)}</td><td>${remedy}</td><td>${title}</td></tr>
`
}
