import { REGISTRY } from '@kaccy/bitcoin/kernel'
import { html, type Markup } from '../../pay/markup.ts'
import { ERROR_PAGES } from '../problem.ts'

/** Paragraphs, `code` and **strong** of our own pages, as HTML. */
export const proseOf = (text: string): readonly Markup[] =>
  text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => html`<p>${inline(paragraph.replaceAll('\n', ' '))}</p>`)

const inline = (text: string): readonly (Markup | string)[] =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((piece) => {
    if (piece.startsWith('`')) return codeOf(piece.slice(1, -1))
    if (piece.startsWith('**')) return html`<strong>${piece.slice(2, -2)}</strong>`
    return piece
  })

/** Codes of errors lead to their pages. */
const codeOf = (word: string): Markup =>
  Object.hasOwn(REGISTRY, word)
    ? html`<a href="${ERROR_PAGES}/${word}"><code>${word}</code></a>`
    : html`<code>${word}</code>`
