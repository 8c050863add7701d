import { html, type Markup } from './markup.ts'

const icon = (path: string, box = 24): Markup =>
  html`<svg class="icon" viewBox="0 0 ${box} ${box}" width="20" height="20" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="${path}"/></svg>`

/** Drawings beside words that say the same: readers of the screen do not hear of them. */
export const ICONS = {
  check: icon('M5 12.5l4.5 4.5L19 7.5'),
  clock: icon('M12 7v5l3 2M12 21a9 9 0 100-18 9 9 0 000 18z'),
  cross: icon('M7 7l10 10M17 7L7 17'),
  warning: icon(
    'M12 8.5v4.5M12 16.5v.01M10.3 4.3L2.9 17a2 2 0 001.7 3h14.8a2 2 0 001.7-3L13.7 4.3a2 2 0 00-3.4 0z',
  ),
  copy: icon(
    'M9 9h9a1 1 0 011 1v9a1 1 0 01-1 1H9a1 1 0 01-1-1v-9a1 1 0 011-1zM5 15V5a1 1 0 011-1h9',
  ),
  wallet: icon(
    'M4 7.5A2.5 2.5 0 016.5 5H17v3M4 7.5V17a2 2 0 002 2h12a2 2 0 002-2v-7a2 2 0 00-2-2H4.5M16 13.5v.01',
  ),
} as const

const RADIUS = 42
const AROUND = 2 * Math.PI * RADIUS

/** A ring that is filled as far as a payment is confirmed, with something in its middle. @param share 0 to 1 */
export function ring(share: number, middle: Markup): Markup {
  const filled = (AROUND * Math.min(1, Math.max(0, share))).toFixed(2)
  const circle = (name: string, dashes: string) =>
    html`<circle class="${name}" cx="50" cy="50" r="${RADIUS}" fill="none" stroke-width="7" stroke-linecap="round" transform="rotate(-90 50 50)" stroke-dasharray="${dashes}"/>`
  const arc = share > 0 && circle('ring-fill', `${filled} ${AROUND.toFixed(2)}`)
  return html`<div class="ring" aria-hidden="true"><svg viewBox="0 0 100 100" focusable="false">${circle('ring-track', 'none')}${arc}</svg><span class="ring-middle">${middle}</span></div>`
}
