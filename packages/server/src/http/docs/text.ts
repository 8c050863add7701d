import { html, type Markup } from '../../pay/markup.ts'

/** Paragraphs, `code` and **strong** of our own pages, as HTML. */
export const proseOf = (text: string): readonly Markup[] =>
  text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => html`<p>${inline(paragraph.replaceAll('\n', ' '))}</p>`)

const inline = (text: string): readonly (Markup | string)[] =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((piece) => {
    if (piece.startsWith('`')) return html`<code>${piece.slice(1, -1)}</code>`
    if (piece.startsWith('**')) return html`<strong>${piece.slice(2, -2)}</strong>`
    return piece
  })
